// Where the items of a merged list go: the patch's order wins, items that only the server has keep their place around them.
// (design proposal: preserve order in strategic merge patch)

import { isTree } from "./merge-patch.ts";

/** What identifies an item: the value of its merge key, or the item itself in lists of primitives. */
export function identity(item: unknown, mergeKey: string | undefined): unknown {
  return mergeKey !== undefined && isTree(item) ? item[mergeKey] : item;
}

/** Items that are in `order` come in its order; `live` tells where the others stood between them. */
export function orderItems(
  items: unknown[],
  order: unknown[],
  live: unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const wanted = ranks(order, mergeKey);
  const before = ranks(live, mergeKey);
  const named = sorted(
    items.filter((item) => wanted.has(identity(item, mergeKey))),
    wanted,
    mergeKey,
  );
  const others = sorted(
    items.filter((item) => !wanted.has(identity(item, mergeKey))),
    before,
    mergeKey,
  );
  const result: unknown[] = [];
  let n = 0;
  let o = 0;
  while (n < named.length && o < others.length) {
    const left = before.get(identity(others[o], mergeKey));
    const right = before.get(identity(named[n], mergeKey));
    const otherFirst = left !== undefined && right !== undefined && left < right;
    result.push(otherFirst ? others[o++] : named[n++]);
  }
  return [...result, ...named.slice(n), ...others.slice(o)];
}

function ranks(list: unknown[], mergeKey: string | undefined): Map<unknown, number> {
  const result = new Map<unknown, number>();
  for (const [index, item] of list.entries()) {
    const key = identity(item, mergeKey);
    if (!result.has(key)) result.set(key, index);
  }
  return result;
}

function sorted(items: unknown[], rank: Map<unknown, number>, mergeKey: string | undefined): unknown[] {
  const of = (item: unknown): number => rank.get(identity(item, mergeKey)) ?? Number.MAX_SAFE_INTEGER;
  return items.toSorted((a, b) => of(a) - of(b));
}
