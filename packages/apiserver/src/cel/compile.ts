// From the syntax tree to a function that evaluates it.

import { isMap } from "./equality.ts";
import { overloadsOf, selectOverload } from "./functions/library.ts";
import { compileMacro } from "./compile-macro.ts";
import type { Evaluate, Frame, Slots } from "./evaluation.ts";
import { CostExceeded, type Meter } from "../meter.ts";
import { namedType, namespacedFunction } from "./names.ts";
import type { Node } from "./syntax.ts";
import { CelError, List, LiteralMap, none, Optional, TypeValue, Uint, type Value } from "./values.ts";

/** What evaluates `node` where the variables have these `slots`. */
export function compile(node: Node, slots: Slots): Evaluate {
  switch (node.kind) {
    case "literal":
      return () => node.value;
    case "identifier":
      return compileIdentifier(node, slots);
    case "select":
      return compileSelect(node, slots);
    case "has": {
      const operand = compile(node.operand, slots);
      return (frame) => fieldOf(operand(frame), node.field, frame.meter) !== undefined;
    }
    case "index":
      return compileIndex(node, slots);
    case "call":
      return compileCall(node, slots);
    case "and":
      return compileLogic(compile(node.left, slots), compile(node.right, slots), false);
    case "or":
      return compileLogic(compile(node.left, slots), compile(node.right, slots), true);
    case "conditional":
      return compileConditional(node, slots);
    case "list":
      return compileList(node, slots);
    case "map":
      return compileMap(node, slots);
    case "macro":
      return compileMacro(node, slots, compile);
  }
}

function compileIdentifier(node: Extract<Node, { kind: "identifier" }>, slots: Slots): Evaluate {
  const slot = slots.get(node.name);
  if (slot !== undefined) {
    return ({ slots: values, meter }) => {
      meter.spend(1);
      return values[slot] as Value;
    };
  }
  const type = new TypeValue(node.name);
  return () => type;
}

/** The value of a field, seen through optionals; undefined when it is absent. Throws CelError for what has no fields. */
function fieldOf(operand: Value, field: string, meter: Meter): Value | undefined {
  meter.spend(1);
  if (operand instanceof Optional)
    return operand.value === undefined ? undefined : fieldOf(operand.value, field, meter);
  if (isMap(operand)) return operand.get(field);
  throw new CelError("no such overload");
}

function compileSelect(node: Extract<Node, { kind: "select" }>, slots: Slots): Evaluate {
  const type = namedType(node, (name) => slots.has(name));
  if (type !== undefined) {
    const value = new TypeValue(type);
    return () => value;
  }
  const operand = compile(node.operand, slots);
  const { field } = node;
  return (frame) => {
    const from = operand(frame);
    const value = fieldOf(from, field, frame.meter);
    if (node.optional || from instanceof Optional) return value === undefined ? none : new Optional(value);
    if (value === undefined) throw new CelError(`no such key: ${field}`);
    return value;
  };
}

function wholeIndex(index: Value): number | undefined {
  if (typeof index === "bigint") return Number(index);
  if (index instanceof Uint) return Number(index.value);
  return typeof index === "number" && Number.isInteger(index) ? index : undefined;
}

/** The item at `index`; undefined when there is none. */
function itemOf(operand: Value, index: Value): Value | undefined {
  if (operand instanceof List) {
    const at = wholeIndex(index);
    if (at === undefined) throw new CelError("no such overload");
    return at >= 0 && at < operand.size ? operand.at(at) : undefined;
  }
  if (isMap(operand)) return operand.get(index);
  throw new CelError("no such overload");
}

function compileIndex(node: Extract<Node, { kind: "index" }>, slots: Slots): Evaluate {
  const operand = compile(node.operand, slots);
  const index = compile(node.index, slots);
  return (frame) => {
    frame.meter.spend(1);
    const from = operand(frame);
    const at = index(frame);
    if (node.optional || from instanceof Optional) {
      const inner = from instanceof Optional ? from.value : from;
      const value = inner === undefined ? undefined : itemOf(inner, at);
      return value === undefined ? none : new Optional(value);
    }
    const value = itemOf(from, at);
    if (value !== undefined) return value;
    const shown = typeof at === "string" || typeof at === "bigint" ? String(at) : String(wholeIndex(at));
    throw new CelError(from instanceof List ? `index out of bounds: ${shown}` : `no such key: ${shown}`);
  };
}

function compileCall(node: Extract<Node, { kind: "call" }>, slots: Slots): Evaluate {
  const { name, target } = node;
  const namespaced = target && namespacedFunction(target, name, (other) => slots.has(other));
  const isMethod = target !== undefined && namespaced === undefined;
  const candidates = overloadsOf(namespaced ?? name, isMethod);
  const args = (isMethod ? [target, ...node.args] : node.args).map((argument) => compile(argument, slots));
  return (frame) => {
    frame.meter.spend(1);
    const values = args.map((argument) => argument(frame));
    const overload = selectOverload(candidates, values);
    if (!overload) throw new CelError("no such overload");
    return overload.call(values, frame.meter);
  };
}

/** The result, or the error it ended in; running out of means is no result. */
function attempt(evaluate: Evaluate, frame: Frame): Value | CelError {
  try {
    return evaluate(frame);
  } catch (error) {
    if (error instanceof CostExceeded || !(error instanceof CelError)) throw error;
    return error;
  }
}

/** `||` with `decisive` true, `&&` with false: a side that decides makes the other side's error irrelevant. */
export function compileLogic(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return (frame) => {
    const first = attempt(left, frame);
    if (first === decisive) return decisive;
    const second = attempt(right, frame);
    if (second === decisive) return decisive;
    for (const side of [first, second]) {
      if (side instanceof CelError) throw side;
      if (typeof side !== "boolean") throw new CelError("no such overload");
    }
    return !decisive;
  };
}

function compileConditional(node: Extract<Node, { kind: "conditional" }>, slots: Slots): Evaluate {
  const [test, whenTrue, whenFalse] = [node.test, node.whenTrue, node.whenFalse].map((part) =>
    compile(part, slots),
  ) as [Evaluate, Evaluate, Evaluate];
  return (frame) => {
    const value = test(frame);
    if (typeof value !== "boolean") throw new CelError("no such overload");
    return value ? whenTrue(frame) : whenFalse(frame);
  };
}

/** The value of an optional item (`?x`); undefined leaves the item out. */
function unwrap(value: Value): Value | undefined {
  if (!(value instanceof Optional)) throw new CelError("no such overload");
  return value.value;
}

function compileList(node: Extract<Node, { kind: "list" }>, slots: Slots): Evaluate {
  const items = node.items.map(({ value, optional }) => ({ optional, evaluate: compile(value, slots) }));
  return (frame) => {
    frame.meter.spend(1 + items.length);
    const values: Value[] = [];
    for (const { optional, evaluate } of items) {
      const value = optional ? unwrap(evaluate(frame)) : evaluate(frame);
      if (value !== undefined) values.push(value);
    }
    return List.of(values);
  };
}

function compileMap(node: Extract<Node, { kind: "map" }>, slots: Slots): Evaluate {
  const entries = node.entries.map(({ key, value, optional }) => ({
    optional,
    key: compile(key, slots),
    value: compile(value, slots),
  }));
  return (frame) => {
    frame.meter.spend(1 + entries.length);
    const pairs: [Value, Value][] = [];
    for (const { optional, key, value } of entries) {
      const name = key(frame);
      const item = optional ? unwrap(value(frame)) : value(frame);
      if (item !== undefined) pairs.push([name, item]);
    }
    return new LiteralMap(pairs);
  };
}
