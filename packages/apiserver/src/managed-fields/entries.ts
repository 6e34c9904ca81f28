// The entries of metadata.managedFields: who owns what, by manager, operation, version and subresource.

import type { FieldSet } from "./field-set.ts";
import { nodeOf, inOrder, unionOf } from "./field-set.ts";
import { canonicalElement, type PathElement, selfElement } from "./path-element.ts";

export interface ManagedEntry {
  manager?: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  /** RFC 3339; absent in entries that others wrote without. */
  time?: string;
  fieldsType: "FieldsV1";
  fieldsV1: FieldSet;
  subresource?: string;
}

/** Who does it and how; the fields are still to be found. */
export type Actor = Pick<ManagedEntry, "manager" | "operation" | "apiVersion" | "subresource">;

/** As Kubernetes: more Update managers than this are not kept apart. */
const maxUpdateManagers = 10;
const ancientManager = "ancient-changes";

/** The same text for two entries of one manager: whoever applies is the same in every version, whoever updates is not. */
export function actorKey({ manager, operation, apiVersion, subresource }: Actor): string {
  return JSON.stringify([operation, manager ?? "", subresource ?? "", operation === "Apply" ? "" : apiVersion]);
}

/** The entry of `actor`, if there is one. */
export function entryBy(entries: ManagedEntry[], actor: Actor): ManagedEntry | undefined {
  const key = actorKey(actor);
  return entries.find((entry) => actorKey(entry) === key);
}

/** An entry with its fields in the order in which Kubernetes writes them. */
export function entryOf(actor: Actor, fieldsV1: FieldSet, time: string | undefined): ManagedEntry {
  const { manager, operation, apiVersion, subresource } = actor;
  return {
    ...(manager ? { manager } : {}),
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource ? { subresource } : {}),
  };
}

/** Entries in Kubernetes' order: appliers first, then by time, name, version and subresource. */
export function sortEntries(entries: ManagedEntry[]): ManagedEntry[] {
  const keyed = entries.map((entry) => ({ entry, keys: sortKeys(entry) }));
  return keyed.sort((a, b) => compareKeys(a.keys, b.keys)).map(({ entry }) => entry);
}

function sortKeys({ operation, time, manager, apiVersion, subresource }: ManagedEntry): (string | number)[] {
  return [operation, time ? Date.parse(time) : 0, manager ?? "", apiVersion, subresource ?? ""];
}

function compareKeys(a: (string | number)[], b: (string | number)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as string | number;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Merges the oldest Update entries, those of each version into one, until no more are left than Kubernetes keeps. */
export function capEntries(entries: ManagedEntry[]): ManagedEntry[] {
  const updates = entries.filter(({ operation }) => operation === "Update");
  if (updates.length <= maxUpdateManagers) return entries;
  const groups = groupOldest(sortEntries(updates), updates.length - maxUpdateManagers);
  const merged = new Set(groups.flat());
  const buckets = groups.map((group) => {
    const { apiVersion, time } = group.at(-1) as ManagedEntry;
    return entryOf(bucketOf(apiVersion), unionOf(group.map(({ fieldsV1 }) => fieldsV1)), time);
  });
  return [...entries.filter((entry) => !merged.has(entry)), ...buckets];
}

const bucketOf = (apiVersion: string): Actor => ({ manager: ancientManager, operation: "Update", apiVersion });

/** The entries to be merged, by version, so that there are `excess` fewer; `updates` are in order. The last is the latest merged. */
function groupOldest(updates: ManagedEntry[], excess: number): ManagedEntry[][] {
  const known = new Map(updates.map((entry) => [actorKey(entry), entry]));
  const groups = new Map<string, ManagedEntry[]>();
  const taken = new Set<ManagedEntry>();
  for (const entry of updates) {
    if (excess <= 0) break;
    if (taken.has(entry)) continue;
    taken.add(entry);
    const group = groups.get(entry.apiVersion);
    if (!group) {
      groups.set(entry.apiVersion, [entry]);
      continue;
    }
    // What was merged before goes on being one with what is merged now, however late its last change was.
    const bucket = group.length === 1 ? known.get(actorKey(bucketOf(entry.apiVersion))) : undefined;
    if (bucket && !taken.has(bucket)) {
      taken.add(bucket);
      group.push(bucket);
      excess--;
    }
    group.push(entry);
    excess--;
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** True when a client asks to forget all owners: an empty list, or one entry without anything in it. */
export function isReset(given: unknown[]): boolean {
  const [first] = given;
  if (given.length === 0) return true;
  return (
    given.length === 1 &&
    typeof first === "object" &&
    first !== null &&
    Object.values(first).every((value) => value === null)
  );
}

/** The entries as a client sent them, in their one form and order; undefined when any of them is none. */
export function readEntries(given: unknown[]): ManagedEntry[] | undefined {
  try {
    const entries: ManagedEntry[] = [];
    for (const value of given) {
      const entry = readEntry(value as Partial<ManagedEntry>);
      if (!entry) return undefined;
      entries.push(entry);
    }
    return sortEntries(lastOfEachActor(entries));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Without the earlier ones of the entries of one manager. */
export function lastOfEachActor(entries: ManagedEntry[]): ManagedEntry[] {
  return [...new Map(entries.map((entry) => [actorKey(entry), entry])).values()];
}

function readEntry(value: Partial<ManagedEntry> | null): ManagedEntry | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const { manager, operation, apiVersion, subresource, time, fieldsType, fieldsV1 } = value;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
  const texts = [manager, subresource, time].every(
    (text) => text === undefined || text === null || typeof text === "string",
  );
  if (!texts) return undefined;
  const actor: Actor = {
    operation,
    apiVersion,
    ...(manager ? { manager } : {}),
    ...(subresource ? { subresource } : {}),
  };
  return entryOf(actor, readFields(fieldsV1 ?? {}), time);
}

/** FieldsV1 from a client: known elements only, each in its one form and order. Throws SyntaxError. */
export function readFields(fields: unknown): FieldSet {
  return Object.fromEntries(readChildren(fields));
}

function readChildren(fields: unknown): [PathElement, FieldSet][] {
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) throw new SyntaxError("no field set");
  const children: [PathElement, FieldSet][] = [];
  for (const [name, value] of Object.entries(fields)) {
    const element = name === selfElement ? undefined : canonicalElement(name);
    if (element === undefined) continue;
    const below = readChildren(value);
    const node = nodeOf(below, below.length === 0 || Object.hasOwn(value as object, selfElement));
    if (node) children.push([element, node]);
  }
  return inOrder(children);
}
