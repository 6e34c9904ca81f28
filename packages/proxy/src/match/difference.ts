// What changed between two lists that are mostly the same objects: a table's successor costs in proportion to the change.

interface Difference<T> {
  removed: T[];
  added: T[];
}

/** By identity; what only moved is in neither. Single members that came, went or were replaced, however far apart, are found in
 * one pass that keeps nothing; only where more than that differs, the rest is looked at closely. */
export function difference<T>(before: readonly T[], after: readonly T[]): Difference<T> {
  const removed: T[] = [];
  const added: T[] = [];
  let [old, now] = [0, 0];
  while (old < before.length && now < after.length) {
    if (before[old] === after[now]) {
      old++;
      now++;
      continue;
    }
    // Where both could be said, neighbours have changed places.
    if (old + 1 < before.length && before[old + 1] === after[now]) removed.push(before[old++]!);
    else if (now + 1 < after.length && before[old] === after[now + 1]) added.push(after[now++]!);
    else if (old + 1 < before.length && before[old + 1] === after[now + 1]) {
      removed.push(before[old++]!);
      added.push(after[now++]!);
    } else break;
  }
  const rest = differenceOfRest(before.slice(old), after.slice(now));
  return withoutMoved([...removed, ...rest.removed], [...added, ...rest.added]);
}

/** Of lists that do not begin alike. */
function differenceOfRest<T>(before: readonly T[], after: readonly T[]): Difference<T> {
  const shorter = Math.min(before.length, after.length);
  let end = 0;
  while (end < shorter && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { removed: before.slice(0, before.length - end), added: after.slice(0, after.length - end) };
}

function withoutMoved<T>(removed: T[], added: T[]): Difference<T> {
  if (removed.length === 0 || added.length === 0) return { removed, added };
  const [was, is] = [new Set(removed), new Set(added)];
  return { removed: removed.filter((each) => !is.has(each)), added: added.filter((each) => !was.has(each)) };
}
