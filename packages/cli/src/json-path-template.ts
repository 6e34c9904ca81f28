// kubectl's JSONPath templates: `{.items[*].metadata.name}`, `{range .items[*]}{.metadata.name}{"\n"}{end}`: text, paths
// and ranges. What is absent is empty, as with `kubectl get`.

import { compile } from "@gatehouse/apimachinery/json-path";
import { UserError } from "./user-error.ts";

/** The values a path finds from `root` (when it begins with `$`) or from the `current` item of a range. */
type Search = (root: unknown, current: unknown) => unknown[];

type Node =
  | { kind: "text"; text: string }
  | { kind: "path"; search: Search }
  | { kind: "range"; search: Search; body: Node[] };

/** Parses a template once; the result renders any object. Throws a UserError that quotes the template. */
export function parseTemplate(template: string): (root: unknown) => string {
  const fail = (why: string): never => {
    throw new UserError(`error parsing jsonpath ${template}, ${why}`, 2);
  };
  const nodes = nest(tokens(template, fail), fail);
  return (root) => render(nodes, root, root);
}

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
      body.push({ kind: "range", search: searchOf(token.expression.slice(5).trim(), fail), body: inner });
      open.push(inner);
    } else body.push(expressionNode(token.expression, fail));
  }
  if (open.length > 1) fail("unclosed range");
  return top;
}

function expressionNode(expression: string, fail: Fail): Node {
  if (/^["']/.test(expression)) return { kind: "text", text: unquote(expression, fail) };
  return { kind: "path", search: searchOf(expression, fail) };
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
      const values = node.search(root, current);
      if (node.kind === "path") return values.map(valueText).join(" ");
      return values.map((value) => render(node.body, root, value)).join("");
    })
    .join("");
}

function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(value);
}

function searchOf(path: string, fail: Fail): Search {
  try {
    const search = compile(path);
    return path.startsWith("$") ? (root) => search(root) : (root, current) => search(current, root);
  } catch (error) {
    return fail(error instanceof SyntaxError ? error.message : String(error));
  }
}
