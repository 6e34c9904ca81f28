// Where writes meet field ownership: what metadata.managedFields says after a create, an update or a patch.

import { isDeepStrictEqual } from "node:util";
import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { Registry } from "../registry.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { actorOf, type Writer } from "./actor.ts";
import { compareObjects } from "./compare.ts";
import { type Actor, entryOf, isReset, type ManagedEntry, readEntries } from "./entries.ts";
import { isEmpty } from "./field-set.ts";
import { unownedMetadata } from "./owned-metadata.ts";
import { entriesAfterUpdate } from "./track.ts";
import { typedSchema } from "./typed-schema.ts";

/** The entries of an object as it is stored. */
export function storedEntries(object: KubeObject): ManagedEntry[] {
  return (object.metadata.managedFields ?? []) as ManagedEntry[];
}

/** Without entries of versions that are no longer served: nobody can read them. */
export function knownEntries(
  registry: Registry,
  { type }: ResourceDefinition,
  entries: ManagedEntry[],
): ManagedEntry[] {
  const own = apiVersionOf(type);
  const isKnown = ({ apiVersion }: ManagedEntry): boolean => {
    if (apiVersion === own) return true;
    const version = apiVersion.split("/").at(-1) ?? "";
    return registry.get(type.group, version, type.plural) !== undefined;
  };
  return entries.every(isKnown) ? entries : entries.filter(isKnown);
}

/**
 * What components of the system make (pods, Events, Leases, ...) has unknown owners, as what was there before server-side apply:
 * telling them would double what is written and watched, for nobody. Whoever applies to it finds it owned by `before-first-apply`.
 */
function isMachineMade({ identity }: Writer): boolean {
  if (!identity) return true;
  return identity.user.startsWith("system:") && !identity.user.startsWith("system:serviceaccount:");
}

/** Sets who owns the fields of the new `object`, defaults included; `given` is what the client said of owners. */
export function trackNew(writer: Writer, object: KubeObject, given: unknown[] | undefined): void {
  if (isMachineMade(writer)) return;
  const entries = given ? (readEntries(given) ?? []) : [];
  const changes = compareObjects(typedSchema(writer.definition.schema), {}, object, unownedMetadata);
  setEntries(object, entriesAfterUpdate(entries, changes, actorOf(writer, "Update"), timestamp()));
}

/**
 * Sets who owns the fields of `next`, the successor of `old`. `given` is what the client said of owners: it may correct them (but not
 * through a subresource) or, by `[]` and `[{}]`, have them forgotten. Objects whose owners are unknown stay so until somebody applies.
 */
export function trackChange(
  registry: Registry,
  writer: Writer,
  old: KubeObject,
  next: KubeObject,
  given: unknown[] | undefined,
): void {
  const entries = knownEntries(registry, writer.definition, entriesBefore(writer, old, given));
  if (entries.length === 0) return setEntries(next, entries);
  const changes = compareObjects(typedSchema(writer.definition.schema), old, next, unownedMetadata);
  const touched = !isEmpty(changes.added) || !isEmpty(changes.modified) || !isEmpty(changes.removed);
  setEntries(next, touched ? entriesAfterUpdate(entries, changes, actorOf(writer, "Update"), timestamp()) : entries);
}

function entriesBefore(writer: Writer, old: KubeObject, given: unknown[] | undefined): ManagedEntry[] {
  const stored = storedEntries(old);
  if (writer.subresource || given === undefined || isDeepStrictEqual(given, stored)) return stored;
  if (isReset(given)) return [];
  return readEntries(given) ?? stored;
}

/** Puts the entries into the object; none leave no list. */
export function setEntries(object: KubeObject, entries: ManagedEntry[]): void {
  if (entries.length > 0) object.metadata.managedFields = entries;
  else delete object.metadata.managedFields;
}

/** The entry of all that was there before anybody applied. */
export function entryBeforeApply(actor: Actor, object: KubeObject, definition: ResourceDefinition): ManagedEntry[] {
  const { added } = compareObjects(typedSchema(definition.schema), {}, object, unownedMetadata);
  const before: Actor = { ...actor, manager: "before-first-apply", operation: "Update" };
  return isEmpty(added) ? [] : [entryOf(before, added, timestamp())];
}

/** True when the two differ in the times of their entries at most. */
export function sameButTimes(a: KubeObject, b: KubeObject): boolean {
  if (!isDeepStrictEqual(withoutEntries(a), withoutEntries(b))) return false;
  const [before, after] = [storedEntries(a), storedEntries(b)];
  return before === after || isDeepStrictEqual(before.map(withoutTime), after.map(withoutTime));
}

function withoutEntries(object: KubeObject): unknown {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

const withoutTime = (entry: ManagedEntry): unknown => ({ ...entry, time: undefined });
