// JSON patch (RFC 6902).

import { isDeepStrictEqual } from "node:util";
import { badRequest, StatusError } from "@gatehouse/apimachinery/status-error";
import { isTree } from "./merge-patch.ts";
import { unprocessable } from "./patch-error.ts";

interface Operation {
  op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  path: string;
  from?: string;
  value?: unknown;
}

/** Kubernetes refuses longer patches (handlers/patch.go). */
const maxOperations = 10_000;

/** As Kubernetes: copies of copies double a document with every operation, so what they add in all is limited (3 MiB of JSON). */
const maxCopied = 3 * 1024 * 1024;

const operations = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/**
 * `document` with the operations of `patch` applied, all or none; the inputs are left as they are. Throws StatusError: 400 when
 * the patch is malformed, 413 when it is too long, 422 when an operation does not fit the document or a `test` fails.
 */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  let root = structuredClone(document);
  let copied = 0;
  for (const operation of parse(patch)) {
    if (operation.op === "copy") copied = countCopy(copied, get(root, operation.from ?? ""));
    root = apply(root, operation);
  }
  return root;
}

function parse(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw badRequest("error decoding patch: a JSON patch is a list of operations");
  if (patch.length > maxOperations) {
    throw new StatusError({
      code: 413,
      reason: "RequestEntityTooLarge",
      message: `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    });
  }
  for (const [index, item] of patch.entries()) {
    const at = `error decoding patch: operation ${index}`;
    if (!isTree(item) || typeof item["op"] !== "string" || !operations.has(item["op"])) {
      throw badRequest(`${at}: op must be one of ${[...operations].join(", ")}`);
    }
    const { op } = item;
    if (typeof item["path"] !== "string") throw badRequest(`${at}: path must be a string`);
    if ((op === "move" || op === "copy") && typeof item["from"] !== "string") {
      throw badRequest(`${at}: ${op} needs from`);
    }
    if ((op === "add" || op === "replace" || op === "test") && !Object.hasOwn(item, "value")) {
      // A `test` without value asks for null (evanphx/json-patch).
      if (op !== "test") throw badRequest(`${at}: ${op} needs value`);
    }
  }
  return patch as Operation[];
}

/** RFC 6901: the reference tokens of a JSON pointer. */
function tokensOf(pointer: string): string[] {
  if (pointer === "") return [];
  if (!pointer.startsWith("/"))
    throw badRequest(`error decoding patch: path ${JSON.stringify(pointer)} must start with /`);
  return pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What copies have added once `value` is copied too. Throws 422 when that is too much. */
function countCopy(copied: number, value: unknown): number {
  const sum = copied + JSON.stringify(value).length;
  if (sum > maxCopied) {
    throw unprocessable(
      `Unable to copy, the accumulated size increase of copy operations is ${sum}, exceeding the limit ${maxCopied}`,
    );
  }
  return sum;
}

function apply(root: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case "add":
      return add(root, path, structuredClone(value));
    case "remove":
      return remove(root, path);
    case "replace":
      get(root, path);
      return path === "" ? structuredClone(value) : replace(root, path, structuredClone(value));
    case "move": {
      const moved = get(root, from ?? "");
      if (path.startsWith(`${from}/`)) throw unprocessable(`cannot move ${from} into its own child ${path}`);
      return add(remove(root, from ?? ""), path, moved);
    }
    case "copy":
      return add(root, path, structuredClone(get(root, from ?? "")));
    case "test":
      return test(root, path, value ?? null);
  }
}

function test(root: unknown, path: string, wanted: unknown): unknown {
  // A missing member equals null, as in the library Kubernetes uses.
  const actual = find(root, tokensOf(path));
  if (!isDeepStrictEqual(actual ?? null, wanted)) {
    throw unprocessable(`testing value ${path} failed`);
  }
  return root;
}

function find(root: unknown, tokens: string[]): unknown {
  let current = root;
  for (const token of tokens) {
    if (Array.isArray(current)) current = /^(?:0|[1-9]\d*)$/.test(token) ? current[Number(token)] : undefined;
    else if (isTree(current) && Object.hasOwn(current, token)) current = current[token];
    else return undefined;
  }
  return current;
}

function get(root: unknown, path: string): unknown {
  const value = find(root, tokensOf(path));
  if (value === undefined) throw unprocessable(`path ${JSON.stringify(path)} does not exist`);
  return value;
}

/** The container a pointer ends in, and the last token. */
function parentOf(root: unknown, path: string): { parent: Record<string, unknown> | unknown[]; last: string } {
  const tokens = tokensOf(path);
  const last = tokens.pop() ?? "";
  const parent = find(root, tokens);
  if (!Array.isArray(parent) && !isTree(parent)) {
    throw unprocessable(`path ${JSON.stringify(path)} does not exist: missing parent`);
  }
  return { parent, last };
}

/** A position in `list`; `-` and the length itself are places to add at. */
function indexIn(list: unknown[], token: string, adding: boolean): number {
  if (adding && token === "-") return list.length;
  const index = /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : Number.NaN;
  const limit = adding ? list.length : list.length - 1;
  if (!(index <= limit)) throw unprocessable(`index ${JSON.stringify(token)} is out of bounds`);
  return index;
}

function set(tree: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(tree, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function add(root: unknown, path: string, value: unknown): unknown {
  if (path === "") return value;
  const { parent, last } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, true), 0, value);
  else set(parent, last, value);
  return root;
}

function replace(root: unknown, path: string, value: unknown): unknown {
  const { parent, last } = parentOf(root, path);
  if (Array.isArray(parent)) parent[indexIn(parent, last, false)] = value;
  else set(parent, last, value);
  return root;
}

function remove(root: unknown, path: string): unknown {
  get(root, path);
  if (path === "") return null;
  const { parent, last } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, false), 1);
  else delete parent[last];
  return root;
}
