// The entries of metadata.managedFields: who owns what, by manager, operation, version and subresource.

import type { FieldSet } from "./field-set.ts";
import { nodeOf, inOrder, union } from "./field-set.ts";
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

/** True for two entries of one manager: whoever applies is the same in every version, whoever updates is not. */
export function sameActor(a: Actor, b: Actor): boolean {
  return (
    a.operation === b.operation &&
    (a.manager ?? "") === (b.manager ?? "") &&
    (a.subresource ?? "") === (b.subresource ?? "") &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
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
  const keys = (entry: ManagedEntry): (string | number)[] => [
    entry.operation,
    entry.time ? Date.parse(entry.time) : 0,
    entry.manager ?? "",
    entry.apiVersion,
    entry.subresource ?? "",
  ];
  return entries.toSorted((a, b) => compareKeys(keys(a), keys(b)));
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
  const isUpdate = ({ operation }: ManagedEntry): boolean => operation === "Update";
  const kept = new Set(entries);
  const oldest = new Map<string, ManagedEntry>();
  let count = entries.filter(isUpdate).length;
  for (const entry of count > maxUpdateManagers ? sortEntries(entries).filter(isUpdate) : []) {
    if (count <= maxUpdateManagers) break;
    if (!kept.has(entry)) continue;
    const { apiVersion } = entry;
    const first = oldest.get(apiVersion);
    if (!first) {
      oldest.set(apiVersion, entry);
      continue;
    }
    const actor: Actor = { manager: ancientManager, operation: "Update", apiVersion };
    const merged = [...kept].filter((other) => other === first || other === entry || sameActor(other, actor));
    for (const one of merged) kept.delete(one);
    const fields = merged.map(({ fieldsV1 }) => fieldsV1).reduce(union);
    const bucket = entryOf(actor, fields, entry.time);
    kept.add(bucket);
    oldest.set(apiVersion, bucket);
    count -= merged.length - 1;
  }
  return [...kept];
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
      const known = entries.findIndex((other) => sameActor(other, entry));
      if (known < 0) entries.push(entry);
      else entries[known] = entry;
    }
    return sortEntries(entries);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
