// An expression of a schema, from its text to something to evaluate.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { check, type Scope } from "./check.ts";
import { compile } from "./compile.ts";
import type { Evaluate } from "./evaluation.ts";
import type { Meter } from "../meter.ts";
import { parse } from "./parser.ts";
import { CelSyntaxError, describeError, type Node } from "./syntax.ts";
import { optionalOf, type Type, typeOfSchema } from "./types.ts";
import type { Value } from "./values.ts";

const cacheSize = 2000;
const trees = new Map<string, Node>();

/** Rules repeat across definitions, versions and lists of the same items, so their trees are kept. */
function parsed(source: string): Node {
  const known = trees.get(source);
  if (known) return known;
  const tree = parse(source);
  if (trees.size >= cacheSize) trees.clear();
  trees.set(source, tree);
  return tree;
}

/** True when `source` reads oldSelf, and so only applies to changes. Unreadable sources do not. */
export function usesOldSelf(source: string): boolean {
  if (!source.includes("oldSelf")) return false;
  try {
    return mentions(parsed(source), "oldSelf");
  } catch {
    return false;
  }
}

/** Every part of a tree is a node, a list of nodes or entries, or plain data. */
function mentions(part: unknown, name: string): boolean {
  if (part === null || typeof part !== "object") return false;
  if (Array.isArray(part)) return part.some((item) => mentions(item, name));
  const node = part as Partial<Node>;
  if (node.kind === "literal") return false;
  if (node.kind === "identifier") return node.name === name;
  return Object.values(part).some((item) => mentions(item, name));
}

const slots = new Map([
  ["self", 0],
  ["oldSelf", 1],
]);

/**
 * Why `source` cannot be an expression of type `result` on values of `schema`, as Kubernetes words it; undefined when it can.
 * `optionalOldSelf` makes oldSelf an optional value.
 */
export function explainFault(
  source: string,
  schema: Schema,
  result: "bool" | "string",
  optionalOldSelf = false,
): string | undefined {
  const self: Type | undefined = typeOfSchema(schema);
  if (!self) return "compilation failed: the schema has no type that expressions can use";
  const scope: Scope = new Map([
    ["self", self],
    ["oldSelf", optionalOldSelf ? optionalOf(self) : self],
  ]);
  try {
    const type = check(parsed(source), scope);
    return type.kind === result || type.kind === "dyn" ? undefined : `must evaluate to a ${result}`;
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error;
    return `compilation failed: ${describeError(source, error)}`;
  }
}

/** An expression over variables of known types. */
export interface Program {
  type: Type;
  /** `values` in the order of the variables. Throws CelError when there is no result, CostExceeded when `meter` runs out. */
  evaluate: (values: readonly Value[], meter: Meter) => Value;
}

/** The program of `source`. Throws CelSyntaxError for what does not parse, or could only fail. */
export function compileProgram(source: string, variables: Scope): Program {
  const tree = parsed(source);
  const type = check(tree, variables);
  const evaluate = compile(tree, new Map([...variables.keys()].map((name, index) => [name, index])));
  // Macros put their variables behind these.
  return { type, evaluate: (values, meter) => evaluate({ slots: [...values], meter }) };
}

/** True when `source` reads the variable `name`. Throws CelSyntaxError for what does not parse. */
export function readsVariable(source: string, name: string): boolean {
  return source.includes(name) && mentions(parsed(source), name);
}

/** Something to evaluate. Throws CelSyntaxError for what does not parse; types are only looked at as it runs. */
export class Expression {
  readonly #evaluate: Evaluate;

  constructor(source: string) {
    this.#evaluate = compile(parsed(source), slots);
  }

  /** Throws CelError when there is no result, CostExceeded when `meter` runs out. */
  evaluate(self: Value, oldSelf: Value | undefined, meter: Meter): Value {
    return this.#evaluate({ slots: [self, oldSelf ?? null], meter });
  }
}
