// An applied configuration must fit its type before it can be merged: no unknown fields, no repeated items, no value of another form.

import type { PathElement } from "./path-element.ts";
import { elementText, fieldElement } from "./path-element.ts";
import { elementOfItem, identityFault } from "./list-items.ts";
import { type Form, type Tree, type TypedSchema } from "./typed-schema.ts";

/** What is wrong with the configuration `value`, each with its path, in structured-merge-diff's words. */
export function appliedFaults(schema: TypedSchema, value: Tree): string[] {
  const faults: string[] = [];
  check(schema, value, "", faults);
  return faults;
}

function check(schema: TypedSchema, value: unknown, path: string, faults: string[]): void {
  if (value === null) return;
  const form: Form = Array.isArray(value) ? "list" : typeof value === "object" ? "map" : "scalar";
  if (schema.only && form !== schema.only) {
    faults.push(`${path}: ${expectation(schema)}, got ${shown(value, form)}`);
  } else if (form === "map") {
    for (const [name, item] of Object.entries(value as Tree)) checkEntry(schema, name, item, path, faults);
  } else if (form === "list") {
    checkList(schema, value as unknown[], path, faults);
  } else if (schema.scalar && typeof value !== schema.scalar) {
    faults.push(`${path}: ${expectation(schema)}, got ${shown(value, form)}`);
  }
}

function checkEntry(schema: TypedSchema, name: string, value: unknown, path: string, faults: string[]): void {
  const place = path + elementText(fieldElement(name));
  const field = schema.field(name);
  if (field) check(field.schema, value, place, faults);
  else faults.push(`${place}: field not declared in schema`);
}

function checkList(schema: TypedSchema, list: unknown[], path: string, faults: string[]): void {
  const seen = new Set<PathElement>();
  for (const [index, item] of list.entries()) {
    if (schema.listType === "atomic") {
      check(schema.items, item, `${path}[${index}]`, faults);
      continue;
    }
    const fault = identityFault(schema, item);
    if (fault !== undefined) {
      faults.push(`${path}: element ${index}: ${fault}`);
      return;
    }
    const element = elementOfItem(schema, item) as PathElement;
    if (seen.has(element)) faults.push(`${path}: duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    check(schema.items, item, path + elementText(element), faults);
  }
}

function expectation({ only, scalar }: TypedSchema): string {
  if (only === "map" || only === "list") return `expected ${only}`;
  const names = { string: "string", number: "numeric (int or float)", boolean: "boolean" };
  return `expected ${scalar ? names[scalar] : "any scalar"}`;
}

const shown = (value: unknown, form: Form): string =>
  form === "scalar" ? JSON.stringify(value) : form === "map" ? "a map" : "a list";
