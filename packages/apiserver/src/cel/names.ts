// What names in expressions may mean besides variables: functions and types with dots in them.

import type { Node } from "./syntax.ts";
import { overloadsOf } from "./functions/library.ts";

/** `a.b.c` of a chain of plain selections; undefined for anything else. */
function dottedName(node: Node): string | undefined {
  if (node.kind === "identifier") return node.name;
  if (node.kind !== "select" || node.optional) return undefined;
  const operand = dottedName(node.operand);
  return operand && `${operand}.${node.field}`;
}

const types = new Set([
  "bool",
  "int",
  "uint",
  "double",
  "string",
  "bytes",
  "list",
  "map",
  "null_type",
  "type",
  "optional_type",
  "google.protobuf.Duration",
  "google.protobuf.Timestamp",
  "net.IP",
  "net.CIDR",
  "kubernetes.URL",
  "kubernetes.Quantity",
  "kubernetes.Semver",
  "kubernetes.NamedFormat",
]);

/** The type that `node` names; undefined when it names none, or a variable that `isVariable` knows. */
export function namedType(node: Node, isVariable: (name: string) => boolean): string | undefined {
  const name = dottedName(node);
  return name !== undefined && types.has(name) && !isVariable(name.split(".")[0] ?? "") ? name : undefined;
}

/** The function `target.name` as one name, such as `ip.isCanonical`; undefined when the call is a method's. */
export function namespacedFunction(
  target: Node,
  name: string,
  isVariable: (name: string) => boolean,
): string | undefined {
  const prefix = dottedName(target);
  if (prefix === undefined || isVariable(prefix.split(".")[0] ?? "")) return undefined;
  return overloadsOf(`${prefix}.${name}`, false).length > 0 ? `${prefix}.${name}` : undefined;
}
