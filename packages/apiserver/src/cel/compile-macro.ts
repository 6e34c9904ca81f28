// Macros as loops: `self.all(x, ...)`, `exists`, `exists_one`, `map`, `filter`, and `optMap` on optional values.

import { compare, isMap } from "./equality.ts";
import type { Compile, Evaluate, Frame, Slots } from "./evaluation.ts";
import type { Node } from "./syntax.ts";
import { CelError, List, LiteralMap, none, Optional, type Value } from "./values.ts";

type MacroNode = Extract<Node, { kind: "macro" }>;

interface Loop {
  range: Evaluate;
  /** Slot of the item, and of its position or key in the two-variable forms. */
  slot: number;
  indexSlot: number | undefined;
  filter: Evaluate | undefined;
  body: Evaluate;
}

/** The loop of `node`; `compile` does its parts. */
export function compileMacro(node: MacroNode, slots: Slots, compile: Compile): Evaluate {
  const inner = new Map(slots);
  // Every name in scope has a slot of its own; those of finished loops are used again.
  let next = Math.max(-1, ...slots.values()) + 1;
  const indexSlot = node.index === undefined ? undefined : next++;
  if (node.index !== undefined && indexSlot !== undefined) inner.set(node.index, indexSlot);
  inner.set(node.variable, next);
  const loop: Loop = {
    range: compile(node.range, slots),
    slot: next,
    indexSlot,
    filter: node.filter && compile(node.filter, inner),
    body: compile(node.body, inner),
  };
  switch (node.macro) {
    case "all":
      return quantifier(loop, false);
    case "exists":
      return quantifier(loop, true);
    case "exists_one":
      return (frame) => count(loop, frame) === 1;
    case "map":
    case "transformList":
      return (frame) => collect(loop, frame);
    case "transformMap":
      return (frame) => transformMap(loop, frame);
    case "transformMapEntry":
      return (frame) => transformEntries(loop, frame);
    case "sortBy":
      return (frame) => sortBy(loop, frame);
    case "filter":
      return (frame) => select(loop, frame);
    case "optMap":
      return (frame) => mapOptional(loop, frame, false);
    case "optFlatMap":
      return (frame) => mapOptional(loop, frame, true);
  }
}

/** Runs `visit` for each item of the range, its variables set, until it answers true. */
function each(loop: Loop, frame: Frame, visit: (item: Value) => boolean): void {
  const range = loop.range(frame);
  const [keys, values] = sides(range, loop.indexSlot !== undefined);
  for (let index = 0; index < values.size; index++) {
    frame.meter.spend(1);
    const item = values.at(index);
    frame.slots[loop.slot] = item;
    if (loop.indexSlot !== undefined) frame.slots[loop.indexSlot] = keys ? keys.at(index) : BigInt(index);
    if (visit(item)) return;
  }
}

/** What the variables stand for: of a map the keys, and with two variables the values too. */
function sides(range: Value, isPair: boolean): [keys: List | undefined, values: List] {
  if (range instanceof List) return [undefined, range];
  if (!isMap(range) || range.kind === "object") throw new CelError("no such overload");
  const keys = List.of(range.keys());
  return isPair ? [keys, new List(keys.size, (index) => range.get(keys.at(index)) ?? null)] : [undefined, keys];
}

function truth(value: Value): boolean {
  if (typeof value !== "boolean") throw new CelError("no such overload");
  return value;
}

/** `exists` with `decisive` true, `all` with false. One deciding item outweighs the errors of others. */
function quantifier(loop: Loop, decisive: boolean): Evaluate {
  return (frame) => {
    let failure: CelError | undefined;
    let decided = false;
    each(loop, frame, () => {
      try {
        decided = truth(loop.body(frame)) === decisive;
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        failure ??= error;
      }
      return decided;
    });
    if (decided) return decisive;
    if (failure) throw failure;
    return !decisive;
  };
}

function count(loop: Loop, frame: Frame): number {
  let found = 0;
  each(loop, frame, () => {
    if (truth(loop.body(frame))) found++;
    return false;
  });
  return found;
}

function collect({ filter, body, ...rest }: Loop, frame: Frame): List {
  const items: Value[] = [];
  each({ filter, body, ...rest }, frame, () => {
    if (!filter || truth(filter(frame))) items.push(body(frame));
    return false;
  });
  return List.of(items);
}

/** The new value of each entry under its old key, or of each item under its position. */
function transformMap(loop: Loop, frame: Frame): LiteralMap {
  const entries: [Value, Value][] = [];
  each(loop, frame, () => {
    const key = frame.slots[loop.indexSlot ?? 0] as Value;
    if (!loop.filter || truth(loop.filter(frame))) entries.push([key, loop.body(frame)]);
    return false;
  });
  return new LiteralMap(entries);
}

/** The maps that the items become, as one. */
function transformEntries(loop: Loop, frame: Frame): LiteralMap {
  const entries: [Value, Value][] = [];
  each(loop, frame, () => {
    if (loop.filter && !truth(loop.filter(frame))) return false;
    const map = loop.body(frame);
    if (!isMap(map)) throw new CelError("no such overload");
    frame.meter.spend(map.size);
    for (const key of map.keys()) entries.push([key, map.get(key) ?? null]);
    return false;
  });
  return new LiteralMap(entries);
}

function sortBy(loop: Loop, frame: Frame): List {
  const pairs: [key: Value, item: Value][] = [];
  each(loop, frame, (item) => {
    pairs.push([loop.body(frame), item]);
    return false;
  });
  return List.of(pairs.sort(([a], [b]) => compare(a, b, frame.meter)).map(([, item]) => item));
}

function select(loop: Loop, frame: Frame): List {
  const items: Value[] = [];
  each(loop, frame, (item) => {
    if (truth(loop.body(frame))) items.push(item);
    return false;
  });
  return List.of(items);
}

function mapOptional(loop: Loop, frame: Frame, isFlat: boolean): Value {
  const range = loop.range(frame);
  if (!(range instanceof Optional)) throw new CelError("no such overload");
  if (range.value === undefined) return none;
  frame.slots[loop.slot] = range.value;
  const value = loop.body(frame);
  return isFlat ? value : new Optional(value);
}
