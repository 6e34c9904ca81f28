// Calls that are no functions: they bind variables or look at names, so the parser turns them into nodes of their own.

import { CelSyntaxError, type Macro, type Node } from "./syntax.ts";

type Call = Extract<Node, { kind: "call" }>;

const ranges: Record<string, { macro: Macro; counts: number[] }> = {
  all: { macro: "all", counts: [2, 3] },
  exists: { macro: "exists", counts: [2, 3] },
  exists_one: { macro: "exists_one", counts: [2, 3] },
  existsOne: { macro: "exists_one", counts: [2, 3] },
  map: { macro: "map", counts: [2, 3] },
  filter: { macro: "filter", counts: [2] },
  sortBy: { macro: "sortBy", counts: [2] },
  transformList: { macro: "transformList", counts: [3, 4] },
  transformMap: { macro: "transformMap", counts: [3, 4] },
  transformMapEntry: { macro: "transformMapEntry", counts: [3, 4] },
  optMap: { macro: "optMap", counts: [2] },
  optFlatMap: { macro: "optFlatMap", counts: [2] },
};

/** The node that `call` stands for. Throws CelSyntaxError when a macro is called in another form than its own. */
export function expandMacro(call: Call): Node {
  const { name, target, args, at } = call;
  if (!target) return name === "has" ? expandHas(call) : call;
  const found = Object.hasOwn(ranges, name) ? ranges[name] : undefined;
  if (!found || !found.counts.includes(args.length)) return call;
  const { macro } = found;
  const variable = variableName(args[0]);
  const body = args.at(-1) as Node;
  if (args.length === 2) return { kind: "macro", at, macro, range: target, variable, body };
  if (macro === "map") return { kind: "macro", at, macro, range: target, variable, filter: args[1] as Node, body };
  const second = variableName(args[1]);
  if (second === variable) throw new CelSyntaxError(`duplicate variable name: ${second}`, args[1]?.at ?? at);
  // The first of two variables is the position (or key), the second the item (or value).
  const filter = args.length === 4 ? { filter: args[2] as Node } : {};
  return { kind: "macro", at, macro, range: target, variable: second, index: variable, ...filter, body };
}

function variableName(node: Node | undefined): string {
  if (node?.kind === "identifier") return node.name;
  throw new CelSyntaxError("argument must be a simple name", node?.at ?? 0);
}

function expandHas({ args, at }: Call): Node {
  const [argument] = args;
  if (args.length !== 1 || argument?.kind !== "select" || argument.optional) {
    throw new CelSyntaxError("invalid argument to has() macro", argument?.at ?? at);
  }
  return { kind: "has", at, operand: argument.operand, field: argument.field };
}
