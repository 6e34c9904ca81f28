// What a function is: a name, the kinds it takes, the type it gives, and what it does. Overloads of one name differ in kinds.

import type { Meter } from "../../meter.ts";
import { dyn, listOf, type SimpleKind, simpleType, type Type } from "../types.ts";
import type { Kind, Value } from "../values.ts";

/** What `self.name(...)` and `name(...)` may be called with; `dyn` takes anything. */
export type Parameter = Kind | "dyn";

export interface Overload {
  name: string;
  /** True for `target.name(...)`, whose target is the first parameter. */
  isMethod: boolean;
  parameters: readonly Parameter[];
  result: (types: readonly Type[]) => Type;
  call: (args: Value[], meter: Meter) => Value;
}

/** Arguments as the implementations want them: the kinds were checked against the signature. */
type Implementation = (...args: never[]) => Value;

/** A simple kind, `list(string)`, or a function of the argument types. */
type Result = SimpleKind | `list(${SimpleKind})` | ((types: readonly Type[]) => Type);

function resultType(result: Result): (types: readonly Type[]) => Type {
  if (typeof result === "function") return result;
  const item = /^list\((\w+)\)$/.exec(result)?.[1];
  const type = item === undefined ? simpleType(result as SimpleKind) : listOf(simpleType(item as SimpleKind));
  return () => type;
}

function overload(isMethod: boolean, signature: string, result: Result, call: Implementation): Overload {
  const [, name = "", parameters = ""] = /^([^(]+)\(([^)]*)\)$/.exec(signature) ?? [];
  return {
    name,
    isMethod,
    parameters: parameters ? (parameters.split(", ") as Parameter[]) : [],
    result: resultType(result),
    call: (args, meter) => (call as (...args: unknown[]) => Value)(...args, meter),
  };
}

/** A function: `fn("size(string)", "int", (text: string) => ...)`. The meter is the last argument of `call`. */
export function fn(signature: string, result: Result, call: Implementation): Overload {
  return overload(false, signature, result, call);
}

/** A method: the target is the first of the signature's kinds. */
export function method(signature: string, result: Result, call: Implementation): Overload {
  return overload(true, signature, result, call);
}

export const sameAsFirst = (types: readonly Type[]): Type => types[0] ?? dyn;
export const itemOfFirst = (types: readonly Type[]): Type => (types[0]?.kind === "list" ? types[0].item : dyn);
