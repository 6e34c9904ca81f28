// Lists kept in order while single members come, go and are replaced: a copy of the list, but no sorting anew.

/** Replaces members of `list`, by key, and returns the new list; `undefined` takes a member out. */
export function withChanges<T>(
  list: readonly T[],
  changes: ReadonlyMap<string, T | undefined>,
  keyOf: (member: T) => string,
  compare: (a: string, b: string) => number,
): T[] {
  if (changes.size * 8 > list.length) {
    const kept = list.filter((member) => !changes.has(keyOf(member)));
    const added = [...changes.values()].filter((member) => member !== undefined);
    return [...kept, ...added].sort((a, b) => compare(keyOf(a), keyOf(b)));
  }
  const changed = [...list];
  for (const [key, member] of changes) putInPlace(changed, key, member, keyOf, compare);
  return changed;
}

function putInPlace<T>(
  list: T[],
  key: string,
  member: T | undefined,
  keyOf: (member: T) => string,
  compare: (a: string, b: string) => number,
): void {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(keyOf(list[middle] as T), key) < 0) low = middle + 1;
    else high = middle;
  }
  const present = low < list.length && keyOf(list[low] as T) === key ? 1 : 0;
  list.splice(low, present, ...(member === undefined ? [] : [member]));
}
