// What an applied configuration makes of the live object, before anything is removed: nothing is lost, what both say is as applied.

import { itemsOf, type ListItem } from "./list-items.ts";
import type { PathElement } from "./path-element.ts";
import { formOf, isGranular, type Tree, type TypedSchema } from "./typed-schema.ts";

/** `live` with `applied` merged in. Shares what needs no change with both. */
export function mergeObjects(schema: TypedSchema, live: Tree, applied: Tree): Tree {
  return mergeMaps(schema, live, applied);
}

function merge(schema: TypedSchema, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const form = formOf(schema, applied);
  if (!isGranular(schema, form) || formOf(schema, live) !== form) return applied;
  if (isBare(live)) return applied;
  // A null that stands for a map or a list says nothing of what is in it.
  if (applied === null) return live;
  return form === "map" ? mergeMaps(schema, live as Tree, applied as Tree) : mergeLists(schema, live, applied);
}

const isBare = (value: unknown): boolean => value === null || Object.keys(value as object).length === 0;

function mergeMaps(schema: TypedSchema, live: Tree, applied: Tree): Tree {
  const result = new Map(Object.entries(live));
  for (const [name, value] of Object.entries(applied)) {
    const field = schema.field(name);
    result.set(name, field ? merge(field.schema, result.get(name), value) : value);
  }
  return Object.fromEntries(result);
}

/**
 * Items that both have come in the applied order, those of one side between them where they stood (structured-merge-diff
 * visitListItems). Live items that cannot be told apart stay as they are until an applied one replaces them all.
 */
function mergeLists(schema: TypedSchema, live: unknown, applied: unknown): unknown[] {
  const [left, right] = [itemsOf(schema, live), itemsOf(schema, applied)];
  const wanted = new Map(right.map((item) => [item.element, item.value]));
  const present = unrepeated(left);
  const shared = right.map(({ element }) => element).filter((element) => present.has(element));
  let nextShared = 0;
  const done = new Set<PathElement>();
  const result: unknown[] = [];
  const take = (element: PathElement): void => {
    result.push(merge(schema.items, present.get(element), wanted.get(element)));
    done.add(element);
    if (shared[nextShared] === element) nextShared++;
  };
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const old = left[l];
    const next = right[r];
    if (old && next) {
      if (old.element === next.element) {
        take(old.element);
        l++;
        r++;
        continue;
      }
      const isShared = wanted.has(old.element);
      if (isShared && nextShared < shared.length && shared[nextShared] !== old.element) {
        l++;
        continue;
      }
    }
    if (old && !wanted.has(old.element)) {
      result.push(old.value);
      l++;
      continue;
    }
    if (old && done.has(old.element)) l++;
    if (next) {
      take(next.element);
      r++;
    }
  }
  return result;
}

/** By identity; undefined for items that share one. */
function unrepeated(items: ListItem[]): Map<PathElement, unknown> {
  const result = new Map<PathElement, unknown>();
  for (const { element, value } of items) result.set(element, result.has(element) ? undefined : value);
  return result;
}
