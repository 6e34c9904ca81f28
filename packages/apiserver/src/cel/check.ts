// The static type of an expression, found before it ever runs: a rule that could only fail is refused with its definition.

import { compileRe2 } from "@gatehouse/re2/program";
import { parseDuration, parseTimestamp, timestamp } from "./time.ts";
import { overloadsOf } from "./functions/library.ts";
import type { Overload } from "./functions/overload.ts";
import { namedType, namespacedFunction } from "./names.ts";
import { CelSyntaxError, type Node } from "./syntax.ts";
import { common, compatible, dyn, listOf, mapOf, optionalOf, simpleType, type Type, typeText } from "./types.ts";
import { CelError, kindOf, type Value } from "./values.ts";

export type Scope = ReadonlyMap<string, Type>;

/** The type of `node` where `scope` names the variables. Throws CelSyntaxError at the first place that cannot work. */
export function check(node: Node, scope: Scope): Type {
  switch (node.kind) {
    case "literal":
      return literalType(node.value);
    case "identifier":
      return checkIdentifier(node, scope);
    case "select":
      return checkSelect(node, scope);
    case "has":
      fieldType(check(node.operand, scope), node.field, node.at);
      return simpleType("bool");
    case "index":
      return checkIndex(node, scope);
    case "call":
      return checkCall(node, scope);
    case "and":
    case "or":
      return checkLogic(node, scope);
    case "conditional":
      return checkConditional(node, scope);
    case "list":
      return listOf(checkItems(node.items, scope));
    case "map":
      return mapOf(
        checkItems(
          node.entries.map(({ key }) => ({ value: key, optional: false })),
          scope,
        ),
        checkItems(node.entries, scope),
      );
    case "macro":
      return checkMacro(node, scope);
  }
}

function literalType(value: Value): Type {
  return simpleType(kindOf(value) as "int");
}

function noOverload(name: string, types: Type[], at: number, isMethod = false): CelSyntaxError {
  const texts = types.map(typeText);
  const applied = isMethod ? `${texts[0]}.(${texts.slice(1).join(", ")})` : `(${texts.join(", ")})`;
  return new CelSyntaxError(`found no matching overload for '${name}' applied to '${applied}'`, at);
}

const undeclared = (name: string, at: number): CelSyntaxError =>
  new CelSyntaxError(`undeclared reference to '${name}' (in container '')`, at);

function checkIdentifier(node: Extract<Node, { kind: "identifier" }>, scope: Scope): Type {
  const type = scope.get(node.name);
  if (type) return type;
  if (namedType(node, (name) => scope.has(name))) return simpleType("type");
  throw undeclared(node.name, node.at);
}

function checkSelect(node: Extract<Node, { kind: "select" }>, scope: Scope): Type {
  if (namedType(node, (name) => scope.has(name))) return simpleType("type");
  const operand = check(node.operand, scope);
  const type = fieldType(operand, node.field, node.at);
  return node.optional || operand.kind === "optional" ? optionalOf(type) : type;
}

/** The type of `operand.field`, seen through optionals. */
function fieldType(operand: Type, field: string, at: number): Type {
  switch (operand.kind) {
    case "dyn":
      return dyn;
    case "map":
      return operand.value;
    case "optional":
      return fieldType(operand.value, field, at);
    case "object": {
      const type = operand.field(field);
      if (!type) throw new CelSyntaxError(`undefined field '${field}'`, at);
      return type;
    }
    default:
      throw new CelSyntaxError(`type '${typeText(operand)}' does not support field selection`, at);
  }
}

function checkIndex(node: Extract<Node, { kind: "index" }>, scope: Scope): Type {
  const operand = check(node.operand, scope);
  const index = check(node.index, scope);
  const inner = operand.kind === "optional" ? operand.value : operand;
  const type = itemType(inner, index);
  if (!type) throw noOverload("_[_]", [operand, index], node.at);
  return node.optional || operand.kind === "optional" ? optionalOf(type) : type;
}

function itemType(operand: Type, index: Type): Type | undefined {
  if (operand.kind === "dyn") return dyn;
  if (operand.kind === "list") return ["int", "dyn"].includes(index.kind) ? operand.item : undefined;
  return operand.kind === "map" && compatible(operand.key, index) ? operand.value : undefined;
}

function checkCall(node: Extract<Node, { kind: "call" }>, scope: Scope): Type {
  const { name, target, args, at } = node;
  const namespaced = target && namespacedFunction(target, name, (other) => scope.has(other));
  const isMethod = target !== undefined && namespaced === undefined;
  const full = namespaced ?? name;
  const candidates = overloadsOf(full, isMethod);
  const types = (isMethod ? [target, ...args] : args).map((argument) => checkArgument(full, argument, scope));
  if (candidates.length === 0) throw undeclared(full, at);
  const fitting = candidates.filter((candidate) => fits(candidate, types));
  if (fitting.length === 0 || !sidesFit(full, types)) throw noOverload(full, types, at, isMethod);
  checkLiterals(full, args);
  const results = fitting.map(({ result }) => result(types));
  return results.reduce((a, b) => (a.kind === b.kind ? common(a, b) : dyn));
}

/** The list that format() takes may hold anything. */
function checkArgument(name: string, argument: Node, scope: Scope): Type {
  if (name !== "format" || argument.kind !== "list") return check(argument, scope);
  for (const { value } of argument.items) checkAnything(value, scope);
  return listOf(dyn);
}

/** Lists and maps of any mixture. */
function checkAnything(node: Node, scope: Scope): void {
  if (node.kind === "list") for (const { value } of node.items) checkAnything(value, scope);
  else if (node.kind === "map") for (const { value } of node.entries) checkAnything(value, scope);
  else check(node, scope);
}

/** Texts that are written out must be what the function reads from them. */
function checkLiterals(name: string, args: Node[]): void {
  const argument = args.findLast(
    (node) => node.kind === "literal" && (typeof node.value === "string" || name === "timestamp"),
  );
  if (argument?.kind !== "literal") return;
  const { value } = argument;
  try {
    if (name === "duration" && typeof value === "string") parseDuration(value);
    if (name === "timestamp" && typeof value === "string") parseTimestamp(value);
    if (name === "timestamp" && typeof value === "bigint") timestamp(value * 1_000_000_000n);
    if (patternFunctions.has(name) && typeof value === "string") compileRe2(value);
  } catch (error) {
    if (!(error instanceof CelError || error instanceof SyntaxError)) throw error;
    const detail = name === "timestamp" ? "invalid timestamp" : `invalid ${name} argument`;
    throw new CelSyntaxError(name.startsWith("find") ? error.message : detail, argument.at);
  }
}

const patternFunctions = new Set(["matches", "find", "findAll"]);

function fits({ parameters }: Overload, types: Type[]): boolean {
  return (
    parameters.length === types.length &&
    parameters.every((parameter, index) => {
      const kind = types[index]?.kind;
      return parameter === "dyn" || kind === "dyn" || parameter === kind;
    })
  );
}

/** Operators on any type want both sides to be of one. */
function sidesFit(name: string, [left = dyn, right = dyn]: Type[]): boolean {
  switch (name) {
    case "_==_":
    case "_!=_":
      return compatible(left, right);
    case "_+_":
      return left.kind !== "list" || compatible(left, right);
    case "@in":
      if (right.kind === "list") return compatible(left, right.item);
      return right.kind !== "map" || compatible(left, right.key);
    case "min":
    case "max":
    case "sum":
    case "isSorted":
    case "sort":
      return left.kind !== "list" || (name === "sum" ? summable : ordered).has(left.item.kind);
    default:
      return true;
  }
}

const summable = new Set(["int", "uint", "double", "duration", "dyn"]);
const ordered = new Set([...summable, "bool", "string", "bytes", "timestamp"]);

function isBool({ kind }: Type): boolean {
  return kind === "bool" || kind === "dyn";
}

function checkLogic(node: Extract<Node, { kind: "and" | "or" }>, scope: Scope): Type {
  const types = [check(node.left, scope), check(node.right, scope)];
  if (!types.every(isBool)) throw noOverload(node.kind === "and" ? "_&&_" : "_||_", types, node.at);
  return simpleType("bool");
}

function checkConditional(node: Extract<Node, { kind: "conditional" }>, scope: Scope): Type {
  const test = check(node.test, scope);
  const whenTrue = check(node.whenTrue, scope);
  const whenFalse = check(node.whenFalse, scope);
  if (!isBool(test) || !compatible(whenTrue, whenFalse))
    throw noOverload("_?_:_", [test, whenTrue, whenFalse], node.at);
  return common(whenTrue, whenFalse);
}

/** Literals hold one type (Kubernetes: HomogeneousAggregateLiterals). */
function checkItems(items: { value: Node; optional: boolean }[], scope: Scope): Type {
  let item: Type | undefined;
  for (const { value, optional } of items) {
    let type = check(value, scope);
    if (optional) {
      if (type.kind !== "optional" && type.kind !== "dyn") {
        throw new CelSyntaxError(`expected type 'optional_type' but found '${typeText(type)}'`, value.at);
      }
      type = type.kind === "optional" ? type.value : dyn;
    }
    if (item && !compatible(item, type)) {
      throw new CelSyntaxError(`expected type '${typeText(item)}' but found '${typeText(type)}'`, value.at);
    }
    item = item ? common(item, type) : type;
  }
  return item ?? dyn;
}

type MacroNode = Extract<Node, { kind: "macro" }>;

function checkMacro(node: MacroNode, scope: Scope): Type {
  const { macro, variable, index } = node;
  const range = check(node.range, scope);
  const inner = new Map(scope);
  if (macro === "optMap" || macro === "optFlatMap") {
    if (range.kind !== "optional" && range.kind !== "dyn") throw noOverload(macro, [range], node.at, true);
    inner.set(variable, range.kind === "optional" ? range.value : dyn);
    const body = check(node.body, inner);
    return macro === "optMap" ? optionalOf(body) : body;
  }
  const [key, item] = rangeTypes(range, node);
  if (index !== undefined) {
    inner.set(index, key);
    inner.set(variable, item);
  } else inner.set(variable, range.kind === "map" ? key : item);
  if (node.filter) expectBool(node.filter, inner);
  const transformed = checkTransformed(node, inner, range, key);
  if (transformed) return transformed;
  expectBool(node.body, inner);
  if (macro !== "filter") return simpleType("bool");
  return range.kind === "map" ? listOf(key) : range;
}

/** The type of macros that make new values; undefined for those that judge the old ones. */
function checkTransformed({ macro, body, at }: MacroNode, scope: Scope, range: Type, key: Type): Type | undefined {
  if (!["map", "sortBy", "transformList", "transformMap", "transformMapEntry"].includes(macro)) return undefined;
  const type = check(body, scope);
  if (macro === "transformMap") return mapOf(key, type);
  if (macro === "transformMapEntry") {
    if (type.kind === "map" || type.kind === "dyn") return type.kind === "map" ? type : mapOf(dyn, dyn);
    throw new CelSyntaxError(`expected type 'map' but found '${typeText(type)}'`, body.at);
  }
  if (macro !== "sortBy") return listOf(type);
  if (!ordered.has(type.kind) || range.kind === "map") throw noOverload("sortBy", [range, type], at, true);
  return range;
}

function rangeTypes(range: Type, { range: { at } }: MacroNode): [key: Type, item: Type] {
  if (range.kind === "list") return [simpleType("int"), range.item];
  if (range.kind === "map") return [range.key, range.value];
  if (range.kind === "dyn") return [dyn, dyn];
  throw new CelSyntaxError(
    `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    at,
  );
}

function expectBool(node: Node, scope: Scope): void {
  const type = check(node, scope);
  if (!isBool(type)) throw new CelSyntaxError(`expected type 'bool' but found '${typeText(type)}'`, node.at);
}
