// Kubernetes' strategic merge patch, driven by x-kubernetes-patch-strategy and -merge-key of the kind's schema.
// Directives: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/<field>`, `$setElementOrder/<field>`.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { badRequest } from "@gatehouse/apimachinery/status-error";
import { propertySchema } from "../schema/default.ts";
import { identity, orderItems } from "./list-order.ts";
import { isTree } from "./merge-patch.ts";
import { unprocessable } from "./patch-error.ts";

type Tree = Record<string, unknown>;

const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

/**
 * `document` with `patch` merged in as `schema` says; the inputs are left as they are. Throws StatusError: 400 when a directive is
 * malformed, 422 when list items lack their merge key or the patch contradicts its own order.
 */
export function strategicMerge(schema: Schema, document: unknown, patch: unknown): unknown {
  if (!isTree(patch)) throw badRequest("invalid JSON document: a strategic merge patch is an object");
  return mergeMap(schema, isTree(document) ? structuredClone(document) : {}, structuredClone(patch));
}

interface ListRule {
  items: Schema;
  merge: boolean;
  mergeKey: string | undefined;
}

function listRule(schema: Schema | undefined): ListRule {
  const strategies = (schema?.["x-kubernetes-patch-strategy"] ?? "").split(",");
  return {
    items: schema?.items ?? {},
    merge: strategies.includes("merge"),
    mergeKey: schema?.["x-kubernetes-patch-merge-key"],
  };
}

/** Both arguments are private copies: `original` is changed in place and returned. */
function mergeMap(schema: Schema, original: Tree, patch: Tree): Tree {
  // `merge` is what happens without a directive.
  if (Object.hasOwn(patch, "$patch") && patch["$patch"] !== "merge") return wholeDirective(patch);
  retainKeys(original, patch);
  for (const key of Object.keys(patch)) {
    if (key.startsWith(orderPrefix)) mergeOrdered(schema, original, patch, key.slice(orderPrefix.length));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key === "$patch" || key === "$retainKeys" || key.startsWith(orderPrefix)) continue;
    if (key.startsWith(deletePrefix)) deletePrimitives(original, key.slice(deletePrefix.length), value);
    else mergeField(schema, original, key, value);
  }
  return original;
}

function wholeDirective(patch: Tree): Tree {
  const { $patch: directive, ...rest } = patch;
  if (directive === "replace") return rest;
  if (directive === "delete") return {};
  throw badRequest(`unknown patch type: ${String(directive)}`);
}

/** `$retainKeys` lists every key the union may still have; what the patch sets must be among them. */
function retainKeys(original: Tree, patch: Tree): void {
  const kept = own(patch, "$retainKeys");
  if (kept === undefined) return;
  if (!Array.isArray(kept)) throw badRequest("invalid patch format of retainKeys");
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !key.startsWith("$") && !kept.includes(key)) {
      throw badRequest("invalid patch format of retainKeys");
    }
  }
  for (const key of Object.keys(original)) if (!kept.includes(key)) delete original[key];
}

function mergeField(schema: Schema, original: Tree, key: string, value: unknown): void {
  if (value === null) {
    delete original[key];
    return;
  }
  const current = own(original, key);
  const field = propertySchema(schema, key);
  if (isTree(current) && isTree(value)) {
    const replace = field?.["x-kubernetes-patch-strategy"] === "replace";
    assign(original, key, replace ? value : mergeMap(field ?? {}, current, value));
  } else if (Array.isArray(current) && Array.isArray(value)) {
    assign(original, key, mergeList(listRule(field), current, value));
  } else {
    const added = withoutDirectives(value);
    if (added === undefined) delete original[key];
    else assign(original, key, added);
  }
}

/** What the document itself says: reading `__proto__` any other way would hand out (and merge into) everybody's prototype. */
function own(tree: Tree, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined;
}

function assign(tree: Tree, key: string, value: unknown): void {
  Object.defineProperty(tree, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A value that is new to the document: directives and nulls have nothing to act on. Undefined: it was a directive itself. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isTree(value)) return value;
  if (Object.hasOwn(value, "$patch")) return undefined;
  const kept = Object.entries(value)
    .filter(
      ([key, item]) =>
        item !== null && key !== "$retainKeys" && !key.startsWith(orderPrefix) && !key.startsWith(deletePrefix),
    )
    .map(([key, item]) => [key, withoutDirectives(item)] as const)
    .filter(([, item]) => item !== undefined);
  return Object.fromEntries(kept);
}

function deletePrimitives(original: Tree, key: string, value: unknown): void {
  if (!Array.isArray(value)) throw badRequest("invalid patch format of primitive list");
  const current = own(original, key);
  if (!Array.isArray(current)) return;
  const doomed = new Set<unknown>(value);
  assign(
    original,
    key,
    current.filter((item) => !doomed.has(item)),
  );
}

function mergeList(rule: ListRule, original: unknown[], patch: unknown[]): unknown[] {
  if (!rule.merge) return patch;
  if (original.length === 0 && patch.length === 0) return original;
  if (!ofMaps(original, patch)) {
    const merged = [...new Set([...original, ...patch])];
    return orderItems(merged, patch, original, undefined);
  }
  if (rule.mergeKey === undefined) throw unprocessable("cannot merge lists without merge key");
  return mergeMaps(rule.items, rule.mergeKey, original as Tree[], patch as Tree[]);
}

function ofMaps(...lists: unknown[][]): boolean {
  const all = lists.flat(1);
  const maps = all.filter(isTree).length;
  if (maps !== 0 && maps !== all.length) throw unprocessable("list element types are not identical");
  if (all.some(Array.isArray)) throw unprocessable("lists of lists are not supported");
  return maps > 0;
}

function keyOf(item: Tree, mergeKey: string): unknown {
  if (item[mergeKey] === undefined) {
    throw unprocessable(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return item[mergeKey];
}

function mergeMaps(items: Schema, mergeKey: string, original: Tree[], patch: Tree[]): unknown[] {
  let live: Tree[] = original;
  const plain: Tree[] = [];
  for (const item of patch) {
    const directive = item["$patch"];
    if (directive === undefined) plain.push(item);
    else if (directive === "delete") {
      const doomed = keyOf(item, mergeKey);
      live = live.filter((candidate) => candidate[mergeKey] !== doomed);
    } else if (directive === "merge") throw badRequest("merging lists cannot yet be specified in the patch");
    else if (directive !== "replace") throw badRequest(`unknown patch type: ${String(directive)}`);
  }
  if (patch.some((item) => item["$patch"] === "replace")) return plain;
  const merged: Tree[] = [...live];
  // The first of each key, so that long lists stay linear.
  const positions = new Map<unknown, number>();
  for (const [index, item] of merged.entries())
    if (!positions.has(item[mergeKey])) positions.set(item[mergeKey], index);
  for (const item of plain) {
    const key = keyOf(item, mergeKey);
    const at = positions.get(key);
    if (at !== undefined) merged[at] = mergeMap(items, merged[at] ?? {}, item);
    else positions.set(key, merged.push(withoutDirectives(item) as Tree) - 1);
  }
  for (const item of merged) keyOf(item, mergeKey);
  return orderItems(merged, plain, live, mergeKey);
}

/** `$setElementOrder/<key>` with its list: merges the list (taking it out of the patch) and puts it in that order. */
function mergeOrdered(schema: Schema, original: Tree, patch: Tree, key: string): void {
  const order = patch[`${orderPrefix}${key}`];
  const added = own(patch, key);
  const current = own(original, key);
  if (!Array.isArray(order)) throw badRequest("invalid patch format of setElementOrder list");
  if (added !== undefined && added !== null && !Array.isArray(added)) {
    throw badRequest("invalid patch format of setElementOrder list");
  }
  if (added === null) return;
  const rule = listRule(propertySchema(schema, key));
  const { mergeKey } = rule;
  if (added) checkOrder(added, order, mergeKey, key);
  delete patch[key];
  const primitiveDeletes = own(patch, `${deletePrefix}${key}`);
  const live = Array.isArray(current) ? current : undefined;
  if (!live && !added) return;
  let merged = live ?? [];
  if (live && added) merged = mergeList(rule, live, added);
  else if (added) merged = withoutDirectives(added) as unknown[];
  // The deletions of primitives run after this; items to be deleted are not in the order and must not move the others.
  if (Array.isArray(primitiveDeletes)) {
    const doomed = new Set<unknown>(primitiveDeletes);
    merged = merged.filter((item) => !doomed.has(item));
  }
  assign(original, key, orderItems(merged, order, live ?? [], mergeKey));
}

/** The patch's items come in the order it asks for itself; deletions do not count. */
function checkOrder(patch: unknown[], order: unknown[], mergeKey: string | undefined, key: string): void {
  const wanted = order.map((item) => identity(item, mergeKey));
  const names = patch
    .filter((item) => !(isTree(item) && Object.hasOwn(item, "$patch")))
    .map((item) => (mergeKey !== undefined && isTree(item) ? keyOf(item, mergeKey) : item));
  if (wanted.length === 0 || names.length === 0) return;
  let at = 0;
  for (const name of wanted) if (names[at] === name) at++;
  if (at < names.length) {
    throw unprocessable(`The order in patch list of ${key} doesn't match ${orderPrefix}${key}`);
  }
}
