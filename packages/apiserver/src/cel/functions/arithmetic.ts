// `+ - * / %`, order and negation; ints and uints that leave 64 bits are errors, doubles follow IEEE 754.

import { compare, sameItem } from "../equality.ts";
import type { Meter } from "../../meter.ts";
import { duration, timestamp } from "../time.ts";
import { common, dyn, type Type } from "../types.ts";
import { CelError, type Duration, kindOf, List, type Timestamp, Uint, type Value } from "../values.ts";
import { fn, itemOfFirst, method, type Overload } from "./overload.ts";

/** Throws CelError when `value` needs more than 64 bits. */
export function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new CelError("integer overflow");
  return value;
}

/** Throws CelError when `value` is negative or needs more than 64 bits. */
export function uint64(value: bigint): Uint {
  if (BigInt.asUintN(64, value) !== value) throw new CelError("unsigned integer overflow");
  return new Uint(value);
}

type BigOperation = (a: bigint, b: bigint) => bigint;

function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelError("division by zero");
  return a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelError("modulus by zero");
  return a % b;
}

function wholeNumbers(name: string, operation: BigOperation): Overload[] {
  return [
    fn(`${name}(int, int)`, "int", (a: bigint, b: bigint) => int64(operation(a, b))),
    fn(`${name}(uint, uint)`, "uint", (a: Uint, b: Uint) => uint64(operation(a.value, b.value))),
  ];
}

const numbers: Overload[] = [
  ...wholeNumbers("_+_", (a, b) => a + b),
  ...wholeNumbers("_-_", (a, b) => a - b),
  ...wholeNumbers("_*_", (a, b) => a * b),
  ...wholeNumbers("_/_", divide),
  ...wholeNumbers("_%_", remainder),
  fn("_+_(double, double)", "double", (a: number, b: number) => a + b),
  fn("_-_(double, double)", "double", (a: number, b: number) => a - b),
  fn("_*_(double, double)", "double", (a: number, b: number) => a * b),
  fn("_/_(double, double)", "double", (a: number, b: number) => a / b),
  fn("-_(int)", "int", (a: bigint) => int64(-a)),
  fn("-_(double)", "double", (a: number) => -a),
  fn("!_(bool)", "bool", (a: boolean) => !a),
];

/** Sets and maps join without repeating an entry; a map's entry on the right replaces the left one (KEP-2876). */
function joinLists(a: List, b: List, meter: Meter): List {
  meter.spend(a.size + b.size);
  const { identity } = a;
  if (!identity) return List.of([...a.items(), ...b.items()]);
  const joined = a.items();
  for (const item of b.items()) {
    const index = joined.findIndex((other) => sameItem(item, other, identity, meter));
    if (index < 0) joined.push(item);
    else joined[index] = item;
  }
  return List.of(joined, identity);
}

const commonOf = ([a = dyn, b = dyn]: readonly Type[]): Type => common(a, b);

const joins: Overload[] = [
  fn("_+_(string, string)", "string", (a: string, b: string, meter: Meter) => {
    meter.spendText(a.length + b.length);
    return a + b;
  }),
  fn("_+_(bytes, bytes)", "bytes", (a: Uint8Array, b: Uint8Array, meter: Meter) => {
    meter.spendText(a.length + b.length);
    return Buffer.concat([a, b]);
  }),
  fn("_+_(list, list)", commonOf, joinLists),
];

const times: Overload[] = [
  fn("_+_(duration, duration)", "duration", (a: Duration, b: Duration) => duration(a.nanos + b.nanos)),
  fn("_-_(duration, duration)", "duration", (a: Duration, b: Duration) => duration(a.nanos - b.nanos)),
  fn("_+_(timestamp, duration)", "timestamp", (a: Timestamp, b: Duration) => timestamp(a.nanos + b.nanos)),
  fn("_+_(duration, timestamp)", "timestamp", (a: Duration, b: Timestamp) => timestamp(a.nanos + b.nanos)),
  fn("_-_(timestamp, duration)", "timestamp", (a: Timestamp, b: Duration) => timestamp(a.nanos - b.nanos)),
  fn("_-_(timestamp, timestamp)", "duration", (a: Timestamp, b: Timestamp) => duration(a.nanos - b.nanos)),
];

const ordered = ["bool", "string", "bytes", "duration", "timestamp"];
const numeric = ["int", "uint", "double"];
const orderedPairs = [
  ...ordered.map((kind) => [kind, kind]),
  ...numeric.flatMap((left) => numeric.map((right) => [left, right])),
];

function order(name: string, holds: (order: number) => boolean): Overload[] {
  return orderedPairs.map(([left, right]) =>
    fn(`${name}(${left}, ${right})`, "bool", (a: Value, b: Value, meter: Meter) => holds(compare(a, b, meter))),
  );
}

/** The smallest (`sign` -1) or greatest (1) item. */
function best(list: List, meter: Meter, sign: number): Value {
  if (list.size === 0) throw new CelError(`${sign < 0 ? "min" : "max"} called on empty list`);
  return list.items().reduce((a, b) => (compare(b, a, meter) * sign > 0 ? b : a));
}

function sum(list: List, meter: Meter): Value {
  meter.spend(list.size);
  const items = list.items();
  if (items.length === 0) return 0n;
  return items.reduce((a, b) => {
    const kinds = [kindOf(a), kindOf(b)];
    const add = additions.find(({ parameters }) => parameters.every((kind, index) => kind === kinds[index]));
    if (!add) throw new CelError("no such overload");
    return add.call([a, b], meter);
  });
}

const additions = [...numbers, ...times].filter(({ name }) => name === "_+_");

/** The functions of this file. */
export const arithmetic: Overload[] = [
  ...numbers,
  ...joins,
  ...times,
  ...order("_<_", (result) => result < 0),
  ...order("_<=_", (result) => result <= 0),
  ...order("_>_", (result) => result > 0),
  ...order("_>=_", (result) => result >= 0),
  method("min(list)", itemOfFirst, (list: List, meter: Meter) => best(list, meter, -1)),
  method("max(list)", itemOfFirst, (list: List, meter: Meter) => best(list, meter, 1)),
  method("sum(list)", itemOfFirst, sum),
];
