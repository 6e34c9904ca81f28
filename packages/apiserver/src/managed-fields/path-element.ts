// One step of a field's path, in the text FieldsV1 uses (structured-merge-diff fieldpath): `f:NAME` a field, `k:{...}` the item of a
// list with these keys, `v:VALUE` the item of a set, `i:N` an item by position.

import { goJson } from "@gatehouse/apimachinery/go-json";
import { maxJsonDepth } from "../http/decode-json.ts";

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
      return `${element[0]}:${goJson(shallow(JSON.parse(element.slice(2)), maxJsonDepth))}`;
    case "i":
      if (!/^-?\d+$/.test(element.slice(2))) throw new SyntaxError(`${JSON.stringify(element)} is no path element`);
      return element;
    default:
      return undefined;
  }
}

/** `value`, unless it is nested deeper than that: text inside of strings escapes the limit that bodies have. */
function shallow(value: unknown, levels: number): unknown {
  if (value === null || typeof value !== "object") return value;
  if (levels === 0) throw new SyntaxError(`nested deeper than ${maxJsonDepth} levels`);
  for (const inner of Object.values(value)) shallow(inner, levels - 1);
  return value;
}

/**
 * The items in the order of their elements in FieldsV1: fields by name, then items by keys, by value, by position. Returns `items`
 * itself when they are in it.
 */
export function inElementOrder<T>(items: T[], elementOf: (item: T) => PathElement): T[] {
  if (items.length < 2 || areFieldsInOrder(items, elementOf)) return items;
  const keyed = items.map((item) => ({ item, key: sortKey(elementOf(item)) }));
  const misplaced = (entry: { key: SortKey }, index: number): boolean =>
    index > 0 && compareKeys((keyed[index - 1] as { key: SortKey }).key, entry.key) > 0;
  return keyed.some(misplaced) ? keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ item }) => item) : items;
}

/** The usual case, which needs no keys. */
function areFieldsInOrder<T>(items: T[], elementOf: (item: T) => PathElement): boolean {
  let last = "f:";
  for (const item of items) {
    const element = elementOf(item);
    if (!element.startsWith("f:") || element < last) return false;
    last = element;
  }
  return true;
}

/** What elements are compared by, read from their texts once. */
interface SortKey {
  kind: number;
  value: unknown;
}

const kinds = "fkvi";

function sortKey(element: PathElement): SortKey {
  const kind = kinds.indexOf(element.charAt(0));
  return { kind, value: kind === 0 ? element : JSON.parse(element.slice(2)) };
}

const compareKeys = (a: SortKey, b: SortKey): number => a.kind - b.kind || compareValues(a.value, b.value);

/** Numbers, texts, booleans, lists, maps, null: in this order. */
function rankOf(value: unknown): number {
  if (typeof value === "number") return 0;
  if (typeof value === "string") return 1;
  if (typeof value === "boolean") return 2;
  if (value === null) return 5;
  return Array.isArray(value) ? 3 : 4;
}

function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  const byRank = rank - rankOf(b);
  if (byRank !== 0 || rank === 5) return byRank;
  if (rank >= 3) return compareSequences(Object.entries(a as object), Object.entries(b as object));
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
