// What tells the items of a list apart: their keys, or for sets their values.

import { isTree } from "../patch/merge-patch.ts";
import { keyElement, type PathElement, valueElement } from "./path-element.ts";
import type { Tree, TypedSchema } from "./typed-schema.ts";

export interface ListItem {
  element: PathElement;
  value: unknown;
}

/** The items of a list that is no single value. Leaves out those without identity (see `identityFault`). */
export function itemsOf(schema: TypedSchema, list: unknown): ListItem[] {
  const result: ListItem[] = [];
  for (const value of Array.isArray(list) ? (list as unknown[]) : []) {
    const element = elementOfItem(schema, value);
    if (element !== undefined) result.push({ element, value });
  }
  return result;
}

/** What an item is told from others by; undefined when it has no identity. */
export function elementOfItem(schema: TypedSchema, item: unknown): PathElement | undefined {
  if (schema.listType === "set") return identityFault(schema, item) === undefined ? valueElement(item) : undefined;
  if (!isTree(item)) return undefined;
  const keys = keysOf(schema, item);
  return keys.length > 0 ? keyElement(keys) : undefined;
}

function keysOf(schema: TypedSchema, item: Tree): [string, unknown][] {
  const keys: [string, unknown][] = [];
  for (const name of schema.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : schema.keyDefault(name);
    if (value !== undefined) keys.push([name, value]);
  }
  return keys;
}

/** Why an item cannot be told from others, in structured-merge-diff's words; undefined when it can. */
export function identityFault(schema: TypedSchema, item: unknown): string | undefined {
  if (schema.listType === "set") {
    if (item === null) return "associative list without keys has an element that's an explicit null";
    if (isTree(item)) return "associative list without keys has an element that's a map type";
    return Array.isArray(item) ? "not supported: associative list with lists as elements" : undefined;
  }
  if (item === null) return "associative list with keys may not have a null element";
  if (!isTree(item)) return "associative list with keys may not have non-map elements";
  if (keysOf(schema, item).length > 0) return undefined;
  const names = schema.keys.map((name) => JSON.stringify(name)).join(" ");
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
}
