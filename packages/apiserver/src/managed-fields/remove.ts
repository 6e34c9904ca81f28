// Takes fields out of a value.

import { type FieldSet, isEmpty, isMember } from "./field-set.ts";
import { elementOfItem } from "./list-items.ts";
import { fieldElement } from "./path-element.ts";
import { formOf, isGranular, type Tree, type TypedSchema } from "./typed-schema.ts";

/** The object `value` without the fields of `removed`. What loses its last field stays, empty. Shares what needs no change. */
export function removeFields(schema: TypedSchema, value: Tree, removed: FieldSet): Tree {
  return isEmpty(removed) ? value : withoutEntries(schema, value, removed);
}

function without(schema: TypedSchema, value: unknown, removed: FieldSet): unknown {
  const form = formOf(schema, value);
  if (form === "scalar" || value === null) return value;
  if (!isGranular(schema, form)) return form === "map" ? {} : [];
  return form === "map" ? withoutEntries(schema, value as Tree, removed) : withoutItems(schema, value, removed);
}

function withoutEntries(schema: TypedSchema, value: Tree, removed: FieldSet): Tree {
  const kept: [string, unknown][] = [];
  for (const [name, item] of Object.entries(value)) {
    const node = removed[fieldElement(name)];
    const field = node && schema.field(name);
    if (!field) kept.push([name, item]);
    else if (!isMember(node)) kept.push([name, without(field.schema, item, node)]);
  }
  return Object.fromEntries(kept);
}

function withoutItems(schema: TypedSchema, list: unknown, removed: FieldSet): unknown[] {
  const kept: unknown[] = [];
  for (const item of list as unknown[]) {
    const element = elementOfItem(schema, item);
    const node = element === undefined ? undefined : removed[element];
    if (!node) kept.push(item);
    else if (!isMember(node)) kept.push(without(schema.items, item, node));
  }
  return kept;
}
