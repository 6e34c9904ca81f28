// Server-side apply (KEP-555): merges a configuration into the live object, removes what its manager no longer names, and
// says who owns what afterwards. Pure.

import { isDeepStrictEqual } from "node:util";
import { type Comparison, compareObjects } from "./compare.ts";
import type { Conflict } from "./conflicts.ts";
import { type Actor, entryBy, entryOf, type ManagedEntry, sortEntries } from "./entries.ts";
import {
  below,
  difference,
  type FieldSet,
  intersection,
  isEmpty,
  isMember,
  nodeOf,
  setOf,
  union,
  unionOf,
} from "./field-set.ts";
import { mergeObjects } from "./merge.ts";
import { ownable, type OwnablePart, unownedMetadata } from "./owned-metadata.ts";
import { fieldName } from "./path-element.ts";
import { removeFields } from "./remove.ts";
import { toFieldSet } from "./to-field-set.ts";
import { withoutFields } from "./track.ts";
import type { Tree, TypedSchema } from "./typed-schema.ts";

export interface Application {
  schema: TypedSchema;
  /** Without managedFields. */
  live: Tree;
  config: Tree;
  entries: ManagedEntry[];
  actor: Actor;
  part: OwnablePart;
  /** RFC 3339. */
  now: string;
}

export interface Applied {
  /** Shares with `live` and `config` what is as there. */
  object: Tree;
  entries: ManagedEntry[];
  /** Empty when all is well; otherwise the rest holds only if the applier may take those fields over. */
  conflicts: Conflict[];
}

/** What becomes of the live object. Entries that stay as they are stay the same objects. */
export function applyConfig({ schema, live, config, entries, actor, part, now }: Application): Applied {
  const last = entryBy(entries, actor);
  const others = entries.filter((entry) => entry !== last);
  const fields = ownable(toFieldSet(schema, config), part);
  const merged = mergeObjects(schema, live, config);
  const object = prune(schema, merged, last?.fieldsV1, [fields, ...others.map(({ fieldsV1 }) => fieldsV1)]);
  const changes = compareObjects(schema, live, object, unownedMetadata);
  const taken = ownable(union(changes.added, changes.modified), part);
  const conflicts = others
    .map((entry) => ({ entry, fields: intersection(entry.fieldsV1, taken) }))
    .filter(({ fields: lost }) => !isEmpty(lost));
  const kept = withoutFields(others, union(taken, ownable(changes.removed, part)));
  const own = ownEntry(last, actor, fields, isUnchanged(changes), now);
  const next = own ? [...kept, own] : kept;
  const isSame = kept === others && (own === last || (!own && !last));
  return { object, conflicts, entries: isSame ? entries : sortEntries(next) };
}

const isUnchanged = ({ added, modified, removed }: Comparison): boolean =>
  isEmpty(added) && isEmpty(modified) && isEmpty(removed);

function ownEntry(
  last: ManagedEntry | undefined,
  actor: Actor,
  fields: FieldSet,
  unchanged: boolean,
  now: string,
): ManagedEntry | undefined {
  if (isEmpty(fields)) return undefined;
  const same = unchanged && last?.apiVersion === actor.apiVersion && isDeepStrictEqual(last.fieldsV1, fields);
  return same ? last : entryOf(actor, fields, now);
}

/** Takes out what the manager applied last time but not now, unless somebody else owns it (structured-merge-diff prune). */
function prune(schema: TypedSchema, merged: Tree, last: FieldSet | undefined, owned: FieldSet[]): Tree {
  // Nothing given up, nothing to remove: the usual case.
  if (!last || isEmpty(difference(last, owned[0] ?? {}))) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(schema, set);
  const all = named(toFieldSet(schema, merged));
  const lastNamed = named(last);
  const left = named(toFieldSet(schema, removeFields(schema, merged, lastNamed)));
  const withOwned = removeFields(schema, merged, difference(all, union(left, named(unionOf(owned)))));
  const gone = difference(all, named(toFieldSet(schema, withOwned)));
  return removeFields(schema, merged, intersection(gone, lastNamed));
}

/** `set` with every structure of the schema in it that has a field in it. */
function withNamedFields(schema: TypedSchema, set: FieldSet): FieldSet {
  return setOf(namedChildren(schema, set));
}

function namedChildren(schema: TypedSchema | undefined, set: FieldSet): [string, FieldSet][] {
  return below(set).map(([element, node]) => {
    if (isEmpty(node)) return [element, node];
    const name = fieldName(element);
    const field = name === undefined ? undefined : schema?.field(name);
    const inner = name === undefined ? schema?.items : field?.schema;
    const member = isMember(node) || field?.declared === true;
    return [element, nodeOf(namedChildren(inner, node), member) as FieldSet];
  });
}
