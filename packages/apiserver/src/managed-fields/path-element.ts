// One step of a field's path, in the text FieldsV1 uses (structured-merge-diff fieldpath): `f:NAME` a field, `k:{...}` the item of a
// list with these keys, `v:VALUE` the item of a set, `i:N` an item by position.

import { goJson } from "./go-json.ts";

export type PathElement = string;

/** Stands among the steps below a field that is itself in the set. */
export const selfElement = ".";

export const fieldElement = (name: string): PathElement => `f:${name}`;

export const valueElement = (value: unknown): PathElement => `v:${valueText(value)}`;

/** The item with these keys, sorted by name. */
export function keyElement(keys: [string, unknown][]): PathElement {
  return `k:{${keys.map(([name, value]) => `${JSON.stringify(name)}:${valueText(value)}`).join(",")}}`;
}

const simpleText = /^[\w./:@ -]*$/;

function valueText(value: unknown): string {
  if (typeof value === "string" && simpleText.test(value)) return `"${value}"`;
  return typeof value === "number" ? String(value) : goJson(value);
}

/** The name of a field's element; undefined for items. */
export function fieldName(element: PathElement): string | undefined {
  return element.startsWith("f:") ? element.slice(2) : undefined;
}

/** The element in its one form; undefined for kinds of steps that nobody knows (to be ignored), SyntaxError for broken ones. */
export function canonicalElement(element: string): PathElement | undefined {
  if (element[1] !== ":") throw new SyntaxError(`${JSON.stringify(element)} is no path element`);
  switch (element[0]) {
    case "f":
      return element;
    case "k":
    case "v":
      return `${element[0]}:${goJson(JSON.parse(element.slice(2)))}`;
    case "i":
      if (!/^-?\d+$/.test(element.slice(2))) throw new SyntaxError(`${JSON.stringify(element)} is no path element`);
      return element;
    default:
      return undefined;
  }
}

const kinds = "fkvi";

/** The order of FieldsV1: fields by name, then items by keys, by value, by position. */
export function compareElements(a: PathElement, b: PathElement): number {
  const byKind = kinds.indexOf(a[0] as string) - kinds.indexOf(b[0] as string);
  if (byKind !== 0 || a === b) return byKind;
  if (a.startsWith("f:")) return a < b ? -1 : 1;
  return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
}

const typeOrder = ["number", "string", "boolean", "list", "map", "null"];

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : typeof value;
}

function compareValues(a: unknown, b: unknown): number {
  const type = typeOf(a);
  const byType = typeOrder.indexOf(type) - typeOrder.indexOf(typeOf(b));
  if (byType !== 0 || type === "null") return byType;
  if (type === "list" || type === "map")
    return compareSequences(Object.entries(a as object), Object.entries(b as object));
  const [left, right] = [a as string, b as string];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Both are sorted by name; the shorter one of two that agree comes first. */
function compareSequences(a: [string, unknown][], b: [string, unknown][]): number {
  for (const [index, [name, value]] of a.entries()) {
    const other = b[index];
    if (!other) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    const order = compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** The element as people read it in messages: `.replicas`, `[name="web"]`, `[="a"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const text = element.slice(2);
  switch (element[0]) {
    case "f":
      return `.${text}`;
    case "k": {
      const keys = Object.entries(JSON.parse(text) as object);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${text}]`;
    default:
      return `[${text}]`;
  }
}
