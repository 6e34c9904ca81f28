// kubectl's JSONPath templates: `{.items[*].metadata.name}`, `{range .items[*]}{.metadata.name}{"\n"}{end}`,
// `{.status.conditions[?(@.type=="Ready")].status}`. What is absent is empty, as with `kubectl get`.

import { UserError } from "./user-error.ts";

type Step =
  | { kind: "field"; name: string }
  | { kind: "wildcard" }
  | { kind: "descend" }
  | { kind: "index"; index: number }
  | { kind: "slice"; from: number | undefined; to: number | undefined; step: number }
  | { kind: "filter"; left: Operand; operator: string; right: Operand | undefined }
  | { kind: "union"; options: Step[] };

type Operand = { path: Path } | { value: unknown };
type Path = { fromRoot: boolean; steps: Step[] };

type Node = { kind: "text"; text: string } | { kind: "path"; path: Path } | { kind: "range"; path: Path; body: Node[] };

/** Parses a template once; the result renders any object. Throws a UserError that quotes the template. */
export function parseTemplate(template: string): (root: unknown) => string {
  const fail = (why: string): never => {
    throw new UserError(`error parsing jsonpath ${template}, ${why}`, 2);
  };
  const nodes = nest(tokens(template, fail), fail);
  return (root) => render(nodes, root, root);
}

/** The values that a path such as `.spec.rules[*].name` finds. */
export function evaluatePath(path: string, root: unknown): unknown[] {
  const fail = (why: string): never => {
    throw new UserError(`error parsing jsonpath ${path}, ${why}`, 2);
  };
  return walk(parsePath(path, fail), root, root);
}

// Template

type Fail = (why: string) => never;
type Token = { text: string } | { expression: string };

function tokens(template: string, fail: Fail): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf("{", at);
    if (open < 0) {
      found.push({ text: template.slice(at) });
      break;
    }
    if (open > at) found.push({ text: template.slice(at, open) });
    const close = endOf(template, open, "}");
    if (close < 0) fail("unclosed action");
    for (const expression of splitExpressions(template.slice(open + 1, close))) found.push({ expression });
    at = close + 1;
  }
  return found;
}

/** Index of the closing `character` for the opening one at `open`, outside quotes and brackets; -1 without. */
function endOf(text: string, open: number, character: string): number {
  let depth = 0;
  let quote = "";
  for (let at = open + 1; at < text.length; at++) {
    const current = text[at] ?? "";
    if (quote !== "") {
      if (current === "\\") at++;
      else if (current === quote) quote = "";
    } else if (current === '"' || current === "'") quote = current;
    else if (depth === 0 && current === character) return at;
    else if (current === "[" || current === "(") depth++;
    else if (current === "]" || current === ")") depth--;
  }
  return -1;
}

/** `range .items[*]` is one expression; `.a .b` are two. */
function splitExpressions(text: string): string[] {
  const trimmed = text.trim();
  if (/^range\s/.test(trimmed)) return [trimmed];
  const parts: string[] = [];
  let rest = trimmed;
  while (rest !== "") {
    const end = endOf(` ${rest}`, 0, " ");
    const length = end < 0 ? rest.length : end - 1;
    parts.push(rest.slice(0, length));
    rest = rest.slice(length).trim();
  }
  return parts;
}

function nest(list: Token[], fail: Fail): Node[] {
  const top: Node[] = [];
  const open: Node[][] = [top];
  for (const token of list) {
    const body = open.at(-1) ?? top;
    if ("text" in token) body.push({ kind: "text", text: token.text });
    else if (token.expression === "end") {
      if (open.length === 1) fail("not in range, nothing to end");
      open.pop();
    } else if (token.expression.startsWith("range")) {
      const inner: Node[] = [];
      body.push({ kind: "range", path: parsePath(token.expression.slice(5).trim(), fail), body: inner });
      open.push(inner);
    } else body.push(expressionNode(token.expression, fail));
  }
  if (open.length > 1) fail("unclosed range");
  return top;
}

function expressionNode(expression: string, fail: Fail): Node {
  if (/^["']/.test(expression)) return { kind: "text", text: unquote(expression, fail) };
  return { kind: "path", path: parsePath(expression, fail) };
}

function unquote(text: string, fail: Fail): string {
  const inner = text.slice(1, -1);
  if (text.length < 2 || text.at(-1) !== text[0]) fail("unterminated quoted string");
  try {
    return JSON.parse(
      `"${text[0] === "'" ? inner.replace(/\\'/g, "'").replace(/(?<!\\)"/g, '\\"') : inner}"`,
    ) as string;
  } catch {
    return fail(`invalid quoted string ${text}`);
  }
}

function render(nodes: readonly Node[], root: unknown, current: unknown): string {
  return nodes
    .map((node) => {
      if (node.kind === "text") return node.text;
      const values = walk(node.path, root, current);
      if (node.kind === "path") return values.map(valueText).join(" ");
      return values.map((value) => render(node.body, root, value)).join("");
    })
    .join("");
}

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

// Paths

function parsePath(text: string, fail: Fail): Path {
  const steps: Step[] = [];
  const fromRoot = text.startsWith("$");
  let rest = text.replace(/^[$@]/, "");
  while (rest !== "") {
    const found = nextStep(rest, steps.length === 0, fail);
    steps.push(...found.steps);
    rest = rest.slice(found.length);
  }
  return { fromRoot, steps };
}

function nextStep(rest: string, first: boolean, fail: Fail): { steps: Step[]; length: number } {
  if (rest.startsWith("[")) {
    const close = endOf(rest, 0, "]");
    if (close < 0) fail("unterminated array");
    return { steps: [bracketStep(rest.slice(1, close).trim(), fail)], length: close + 1 };
  }
  const descend = rest.startsWith("..");
  const start = descend ? 2 : rest.startsWith(".") ? 1 : 0;
  if (start === 0 && !first) fail(`unexpected ${JSON.stringify(rest)}`);
  const name = /^(?:\\.|[^\\.[\]{}()\s'"])*/.exec(rest.slice(start))?.[0] ?? "";
  if (name === "" && rest.length > start && !/^[.[]/.test(rest.slice(start)))
    fail(`unexpected ${JSON.stringify(rest)}`);
  const field: Step[] =
    name === "" ? [] : name === "*" ? [{ kind: "wildcard" }] : [{ kind: "field", name: name.replace(/\\(.)/g, "$1") }];
  return { steps: [...(descend ? [{ kind: "descend" as const }] : []), ...field], length: start + name.length };
}

function bracketStep(text: string, fail: Fail): Step {
  if (text === "*") return { kind: "wildcard" };
  if (text.startsWith("?")) return filterStep(text, fail);
  if (/^-?\d+$/.test(text)) return { kind: "index", index: Number(text) };
  const slice = /^(-?\d*):(-?\d*)(?::(-?\d*))?$/.exec(text);
  if (slice) {
    const number = (part: string | undefined) => (part ? Number(part) : undefined);
    return { kind: "slice", from: number(slice[1]), to: number(slice[2]), step: number(slice[3]) ?? 1 };
  }
  if (/^(['"])(?:\\.|(?!\1).)*\1$/s.test(text)) return { kind: "field", name: unquote(text, fail) };
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length > 1) return { kind: "union", options: parts.map((part) => bracketStep(part, fail)) };
  return fail(`invalid array index ${text}`);
}

function filterStep(text: string, fail: Fail): Step {
  const inner = /^\?\s*\((.*)\)$/s.exec(text)?.[1]?.trim();
  if (inner === undefined) return fail(`invalid filter ${text}`);
  const found = /^(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/s.exec(inner);
  if (!found) return { kind: "filter", left: operand(inner, fail), operator: "exists", right: undefined };
  const [, left = "", operator = "", right = ""] = found;
  return { kind: "filter", left: operand(left, fail), operator, right: operand(right, fail) };
}

function operand(text: string, fail: Fail): Operand {
  if (/^['"]/.test(text)) return { value: unquote(text, fail) };
  if (/^[@$.]/.test(text)) return { path: parsePath(text, fail) };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return fail(`invalid operand ${text}`);
  }
}

function walk(path: Path, root: unknown, current: unknown): unknown[] {
  return path.steps.reduce<unknown[]>(
    (values, step) => values.flatMap((value) => take(step, value, root)),
    [path.fromRoot ? root : current],
  );
}

function take(step: Step, value: unknown, root: unknown): unknown[] {
  switch (step.kind) {
    case "field":
      return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case "wildcard":
      return children(value);
    case "descend":
      return descendants(value);
    case "index":
      return Array.isArray(value) && value.at(step.index) !== undefined ? [value.at(step.index)] : [];
    case "slice":
      return Array.isArray(value)
        ? value.slice(step.from, step.to).filter((_, index) => index % Math.max(step.step, 1) === 0)
        : [];
    case "filter":
      return Array.isArray(value) ? value.filter((item) => passes(step, item, root)) : [];
    case "union":
      return step.options.flatMap((option) => take(option, value, root));
  }
}

const children = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];

function descendants(value: unknown): unknown[] {
  return [value, ...children(value).flatMap(descendants)];
}

function passes(filter: Extract<Step, { kind: "filter" }>, item: unknown, root: unknown): boolean {
  const resolve = (side: Operand): unknown[] => ("path" in side ? walk(side.path, root, item) : [side.value]);
  const left = resolve(filter.left);
  if (!filter.right) return left.length > 0;
  const right = resolve(filter.right);
  if (left.length === 0 || right.length === 0) return false;
  return compare(left[0], filter.operator, right[0]);
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== typeof right || (typeof left !== "number" && typeof left !== "string")) return false;
  const [a, b] = [left, right as typeof left];
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  return operator === ">" ? a > b : a >= b;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
