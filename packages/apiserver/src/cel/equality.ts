// `==`, `in` and the order of values. Values of different types are unequal, not an error; numbers compare across types.

import type { Meter } from "../meter.ts";
import {
  CelError,
  Duration,
  type Identity,
  kindOf,
  List,
  type MapLike,
  Opaque,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./values.ts";

/** The number in `value`, of any numeric type. */
function numeric(value: Value): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof Uint ? value.value : undefined;
}

export function isMap(value: Value): value is MapLike {
  const kind = kindOf(value);
  return kind === "map" || kind === "object";
}

export function equal(a: Value, b: Value, meter: Meter): boolean {
  meter.spend(1);
  if (typeof a === "string" || typeof b === "string") {
    if (typeof a === "string" && typeof b === "string") meter.spendText(Math.min(a.length, b.length));
    return a === b;
  }
  const [left, right] = [numeric(a), numeric(b)];
  if (left !== undefined || right !== undefined) {
    return left !== undefined && right !== undefined && compareNumbers(left, right) === 0;
  }
  if (a === null || b === null || typeof a === "boolean" || typeof b === "boolean") return a === b;
  if (a instanceof List) return b instanceof List && equalLists(a, b, meter);
  if (isMap(a)) return isMap(b) && equalMaps(a, b, meter);
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value, meter);
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  return a instanceof Opaque && b instanceof Opaque && a.kind === b.kind && a.equals(b);
}

/** Lists that are sets or maps by their schema compare without regard to order (KEP-2876, "equality"). */
function equalLists(a: List, b: List, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  if (!a.identity) {
    for (let index = 0; index < a.size; index++) if (!equal(a.at(index), b.at(index), meter)) return false;
    return true;
  }
  const others = b.items();
  return a.items().every((item) => others.some((other) => equal(item, other, meter)));
}

function equalMaps(a: MapLike, b: MapLike, meter: Meter): boolean {
  if (a.size !== b.size) return false;
  return a.keys().every((key) => {
    const [left, right] = [a.entry(key), b.entry(key)];
    return left !== undefined && right !== undefined && equal(left, right, meter);
  });
}

/** True when both are the same entry of a list: equal keys in lists that are maps, equal values otherwise. */
export function sameItem(a: Value, b: Value, identity: Identity, meter: Meter): boolean {
  if ("set" in identity) return equal(a, b, meter);
  if (!isMap(a) || !isMap(b)) return false;
  return identity.keys.every((key) => {
    const [left, right] = [a.entry(key), b.entry(key)];
    if (left === undefined || right === undefined) return left === right;
    return equal(left, right, meter);
  });
}

/** Negative, zero or positive. Throws CelError for what has no order. */
export function compare(a: Value, b: Value, meter: Meter): number {
  const [left, right] = [numeric(a), numeric(b)];
  if (left !== undefined && right !== undefined) return compareNumbers(left, right);
  if (typeof a === "string" && typeof b === "string") {
    meter.spendText(Math.min(a.length, b.length));
    return compareText(a, b);
  }
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Duration && b instanceof Duration) return compareBig(a.nanos, b.nanos);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareBig(a.nanos, b.nanos);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  throw new CelError("no such overload");
}

/** By value, whichever types; NaN when one of them is. */
function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a >= b ? 0 : NaN;
}

/** By code points, as UTF-8 bytes sort: JavaScript would put astral characters before U+E000. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return /[\uD800-\uFFFF]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

function compareBig(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
