// Lists, maps, optional values and the sets extension.

import { compare, equal, isMap } from "../equality.ts";
import type { Meter } from "../../meter.ts";
import { secondsOf } from "../time.ts";
import { common, dyn, listOf, optionalOf, type Type } from "../types.ts";
import { CelError, Duration, List, type MapLike, none, Optional, Timestamp, Uint, type Value } from "../values.ts";
import { fn, method, type Overload, sameAsFirst } from "./overload.ts";

function has(list: List, wanted: Value, meter: Meter): boolean {
  for (let index = 0; index < list.size; index++) if (equal(list.at(index), wanted, meter)) return true;
  return false;
}

function isIn(item: Value, collection: Value, meter: Meter): boolean {
  if (collection instanceof List) return has(collection, item, meter);
  if (isMap(collection)) return collection.get(item) !== undefined;
  throw new CelError("no such overload");
}

function isSorted(list: List, meter: Meter): boolean {
  meter.spend(list.size);
  const items = list.items();
  return items.every((item, index) => index === 0 || compare(items[index - 1] as Value, item, meter) <= 0);
}

function position(list: List, wanted: Value, meter: Meter, last: boolean): bigint {
  const items = list.items();
  const test = (item: Value): boolean => equal(item, wanted, meter);
  return BigInt(last ? items.findLastIndex(test) : items.findIndex(test));
}

function distinct(list: List, meter: Meter): List {
  const items: Value[] = [];
  for (const item of list.items()) if (!items.some((other) => equal(item, other, meter))) items.push(item);
  return List.of(items);
}

function flatten(list: List, depth: bigint, meter: Meter): Value[] {
  if (depth < 0n) throw new CelError("level must be non-negative");
  meter.spend(list.size);
  return list
    .items()
    .flatMap((item) => (item instanceof List && depth > 0n ? flatten(item, depth - 1n, meter) : [item]));
}

function slice(list: List, start: bigint, end: bigint): List {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0n || end < 0n) throw new CelError(`${call}, negative indexes not supported`);
  if (start > end) throw new CelError(`${call}, start index must be less than or equal to end index`);
  if (end > BigInt(list.size)) throw new CelError(`${call}, list is length ${list.size}`);
  return new List(Number(end - start), (index) => list.at(index + Number(start)));
}

function range(size: bigint, meter: Meter): List {
  if (size > 1_000_000_000n) throw new CelError(`range of ${size} is too large`);
  meter.spend(Math.max(0, Number(size)));
  return new List(Math.max(0, Number(size)), (index) => BigInt(index));
}

const flattened = ([list = dyn]: readonly Type[]): Type =>
  list.kind === "list" ? listOf(list.item.kind === "list" ? list.item.item : list.item) : listOf(dyn);

const lists: Overload[] = [
  fn("lists.range(int)", "list(int)", range),
  method("slice(list, int, int)", sameAsFirst, slice),
  method("flatten(list)", flattened, (list: List, meter: Meter) => List.of(flatten(list, 1n, meter))),
  method(
    "flatten(list, int)",
    () => listOf(dyn),
    (list: List, depth: bigint, meter: Meter) => List.of(flatten(list, depth, meter)),
  ),
  method("distinct(list)", sameAsFirst, distinct),
  method("reverse(list)", sameAsFirst, (list: List) => new List(list.size, (index) => list.at(list.size - 1 - index))),
  method("sort(list)", sameAsFirst, (list: List, meter: Meter) =>
    List.of(list.items().sort((a, b) => compare(a, b, meter))),
  ),
];

const sets: Overload[] = [
  fn("sets.contains(list, list)", "bool", (a: List, b: List, meter: Meter) =>
    b.items().every((item) => has(a, item, meter)),
  ),
  fn("sets.intersects(list, list)", "bool", (a: List, b: List, meter: Meter) =>
    b.items().some((item) => has(a, item, meter)),
  ),
  fn("sets.equivalent(list, list)", "bool", (a: List, b: List, meter: Meter) => {
    return b.items().every((item) => has(a, item, meter)) && a.items().every((item) => has(b, item, meter));
  }),
];

/** False for what is empty, zero, false or null. */
function isNonZero(value: Value): boolean {
  if (value === null || value === false || value === "") return false;
  if (typeof value === "bigint" || typeof value === "number") return Number(value) !== 0;
  if (value instanceof Uint) return value.value !== 0n;
  if (value instanceof Duration) return value.nanos !== 0n;
  if (value instanceof Timestamp) return secondsOf(value.nanos) !== -62_135_596_800n;
  if (value instanceof List) return value.size > 0;
  if (value instanceof Uint8Array) return value.length > 0;
  return !isMap(value) || value.size > 0;
}

const valueType = ([optional]: readonly Type[]): Type => (optional?.kind === "optional" ? optional.value : dyn);

const optionals: Overload[] = [
  fn(
    "optional.none()",
    () => optionalOf(dyn),
    () => none,
  ),
  fn(
    "optional.of(dyn)",
    ([type = dyn]) => optionalOf(type),
    (value: Value) => new Optional(value),
  ),
  fn(
    "optional.ofNonZeroValue(dyn)",
    ([type = dyn]) => optionalOf(type),
    (value: Value) => (isNonZero(value) ? new Optional(value) : none),
  ),
  method("hasValue(optional)", "bool", ({ value }: Optional) => value !== undefined),
  method("value(optional)", valueType, ({ value }: Optional) => {
    if (value === undefined) throw new CelError("optional.none() dereference");
    return value;
  }),
  method(
    "or(optional, optional)",
    ([type = dyn]) => type,
    (a: Optional, b: Optional) => (a.value === undefined ? b : a),
  ),
  method(
    "orValue(optional, dyn)",
    ([type = dyn, other = dyn]) => common(valueType([type]), other),
    (a: Optional, b: Value) => (a.value === undefined ? b : a.value),
  ),
];

/** The functions of this file. */
export const collections: Overload[] = [
  fn("size(list)", "int", ({ size }: List) => BigInt(size)),
  method("size(list)", "int", ({ size }: List) => BigInt(size)),
  fn("size(map)", "int", ({ size }: MapLike) => BigInt(size)),
  method("size(map)", "int", ({ size }: MapLike) => BigInt(size)),
  fn("size(bytes)", "int", ({ length }: Uint8Array) => BigInt(length)),
  method("size(bytes)", "int", ({ length }: Uint8Array) => BigInt(length)),
  fn("_==_(dyn, dyn)", "bool", equal),
  fn("_!=_(dyn, dyn)", "bool", (a: Value, b: Value, meter: Meter) => !equal(a, b, meter)),
  fn("@in(dyn, list)", "bool", isIn),
  fn("@in(dyn, map)", "bool", isIn),
  method("isSorted(list)", "bool", isSorted),
  method("indexOf(list, dyn)", "int", (list: List, item: Value, meter: Meter) => position(list, item, meter, false)),
  method("lastIndexOf(list, dyn)", "int", (list: List, item: Value, meter: Meter) => position(list, item, meter, true)),
  ...lists,
  ...sets,
  ...optionals,
];
