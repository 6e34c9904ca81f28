// Who owns what after a create, update or patch: whoever changes a field owns it, and nobody else does any more (KEP-555).

import { type Comparison } from "./compare.ts";
import { type Actor, capEntries, entryBy, entryOf, type ManagedEntry, sortEntries } from "./entries.ts";
import { difference, emptySet, type FieldSet, isEmpty, union } from "./field-set.ts";

/** The entries after `actor` has changed an object as `changes` says; `entries` itself when nobody gains or loses a field. */
export function entriesAfterUpdate(
  entries: ManagedEntry[],
  changes: Comparison,
  actor: Actor,
  now: string,
): ManagedEntry[] {
  const taken = union(changes.added, changes.modified);
  const touched = union(taken, changes.removed);
  if (isEmpty(touched)) return entries;
  if (isEmpty(taken)) return withoutFields(entries, touched);
  const own = entryBy(entries, actor);
  const others = withoutFields(own ? entries.filter((entry) => entry !== own) : entries, touched);
  // Who changes what it owned already, as controllers do all the time, keeps its very set.
  const kept = difference(own?.fieldsV1 ?? emptySet, changes.removed);
  return sortEntries(capEntries([...others, entryOf(actor, union(kept, taken), now)]));
}

/** The entries without the fields of `lost`; those that lose nothing stay the same objects, those that lose all are dropped. */
export function withoutFields(entries: ManagedEntry[], lost: FieldSet): ManagedEntry[] {
  const rest = entries.map((entry) => {
    const fields = difference(entry.fieldsV1, lost);
    return fields === entry.fieldsV1 ? entry : { ...entry, fieldsV1: fields };
  });
  if (rest.every((entry, index) => entry === entries[index])) return entries;
  return rest.filter(({ fieldsV1 }) => !isEmpty(fieldsV1));
}
