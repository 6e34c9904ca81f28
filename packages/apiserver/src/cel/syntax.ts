// The syntax tree of an expression. Macros are nodes of their own; operators are calls with cel-go's names (`_==_`, `!_`, `@in`).

import type { Value } from "./values.ts";

export type Macro =
  | "all"
  | "exists"
  | "exists_one"
  | "map"
  | "filter"
  | "sortBy"
  | "transformList"
  | "transformMap"
  | "transformMapEntry"
  | "optMap"
  | "optFlatMap";

/** `at` is the offset in the source (UTF-16 units) that a message points to. */
export type Node = { at: number } & (
  | { kind: "literal"; value: Value }
  | { kind: "identifier"; name: string }
  | { kind: "select"; operand: Node; field: string; optional: boolean }
  | { kind: "has"; operand: Node; field: string }
  | { kind: "index"; operand: Node; index: Node; optional: boolean }
  | { kind: "call"; name: string; target?: Node; args: Node[] }
  | { kind: "and" | "or"; left: Node; right: Node }
  | { kind: "conditional"; test: Node; whenTrue: Node; whenFalse: Node }
  | { kind: "list"; items: { value: Node; optional: boolean }[] }
  | { kind: "map"; entries: { key: Node; value: Node; optional: boolean }[] }
  /** `range.macro(variable, [filter,] body)`. `index` is the second variable of the two-variable forms. */
  | { kind: "macro"; macro: Macro; range: Node; variable: string; index?: string; filter?: Node; body: Node }
);

/** An expression that cannot be compiled; `at` is an offset in its source. */
export class CelSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = "CelSyntaxError";
    this.at = at;
  }
}

/** The error as cel-go prints it: `ERROR: <input>:1:6: ...` with the line and a caret below. */
export function describeError(source: string, { message, at }: CelSyntaxError): string {
  const before = source.slice(0, at).split("\n");
  const line = source.split("\n")[before.length - 1] ?? "";
  const column = Array.from(before.at(-1) ?? "").length;
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${".".repeat(column)}^`;
}
