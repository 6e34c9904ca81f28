// What changed between two lists that are mostly the same objects: a table's successor costs in proportion to the change.

/** By identity. Lists that begin and end alike are compared in one pass; only what lies between is looked at closely. */
export function difference<T>(before: readonly T[], after: readonly T[]): { removed: T[]; added: T[] } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const old = before.slice(start, before.length - end);
  const fresh = after.slice(start, after.length - end);
  if (old.length === 0 || fresh.length === 0) return { removed: old, added: fresh };
  const [was, is] = [new Set(old), new Set(fresh)];
  return { removed: old.filter((each) => !is.has(each)), added: fresh.filter((each) => !was.has(each)) };
}
