// Statuses by meaning: conditions by type (status and reason), per listener, parent or ancestor. Times, generations,
// addresses and the order of lists say nothing about whether two clusters treat an object alike.

import type { Condition } from "@gatehouse/apimachinery/meta";
import { compareValues, sameMembers } from "./compare-values.ts";
import { type Findings, noFindings } from "./report.ts";

export interface StatusOptions {
  /** Compare the conditions' messages too. */
  messages: boolean;
  /** Compare what the implementations say they support too. */
  all: boolean;
  /** Kinds that the clusters have objects of: whether a listener takes another kind is only noted (unless `all`). */
  kindsInUse: ReadonlySet<string>;
}

interface Reference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  sectionName?: string;
  port?: number;
}

interface Attachment {
  parentRef?: Reference;
  ancestorRef?: Reference;
  controllerName?: string;
  conditions?: Condition[];
}

interface ListenerStatus {
  name: string;
  attachedRoutes?: number;
  supportedKinds?: { group?: string; kind: string }[];
  conditions?: Condition[];
}

/** The status of a Gateway API object, as far as it is read here. */
export interface ComparedStatus {
  conditions?: Condition[];
  listeners?: ListenerStatus[];
  parents?: Attachment[];
  ancestors?: Attachment[];
  addresses?: { value?: string }[];
  supportedFeatures?: (string | { name: string })[];
  attachedListenerSets?: number;
  [field: string]: unknown;
}

/** The object's own place in its cluster: what its status is about. */
export interface StatusOwner {
  namespace: string;
  /** 0 when unknown. */
  generation: number;
}

type Side = { status: ComparedStatus; owner: StatusOwner };

const known = new Set([
  "conditions",
  "listeners",
  "parents",
  "ancestors",
  "addresses",
  "supportedFeatures",
  "attachedListenerSets",
]);

export function compareStatus(a: Side, b: Side, options: StatusOptions): Findings {
  const found = noFindings();
  const [left, right] = [a.status, b.status];
  compareConditions("", a, b, left.conditions, right.conditions, options, found);
  compareListeners(a, b, options, found);
  compareAttachments("parentRef", a, b, options, found);
  compareAttachments("ancestorRef", a, b, options, found);
  addIfDifferent(found, "attachedListenerSets", left.attachedListenerSets ?? 0, right.attachedListenerSets ?? 0);
  const addresses = [left, right].map((status) => (status.addresses ?? []).map(({ value }) => value ?? ""));
  if ((addresses[0]?.length === 0) !== (addresses[1]?.length === 0)) {
    found.notes.push({ field: "addresses", a: addresses[0], b: addresses[1] });
  }
  if (options.all) compareFeatures(left, right, found);
  found.notes.push(...compareValues("status", unknownPart(left), unknownPart(right)));
  return found;
}

function compareConditions(
  place: string,
  a: Side,
  b: Side,
  left: Condition[] | undefined,
  right: Condition[] | undefined,
  options: StatusOptions,
  found: Findings,
): void {
  const types = new Set([...(left ?? []), ...(right ?? [])].map(({ type }) => type));
  for (const type of [...types].sort()) {
    const one = left?.find((condition) => condition.type === type);
    const other = right?.find((condition) => condition.type === type);
    const field = place ? `${place}: ${type}` : type;
    const [text, otherText] = [conditionText(one, a.owner), conditionText(other, b.owner)];
    if (text !== otherText) {
      const sameAge = isStale(one, a.owner) === isStale(other, b.owner);
      const list = sameAge && meansTheSame(one, other) ? found.notes : found.differences;
      list.push({ field, a: text, b: otherText });
    }
    if (!one || !other || text !== otherText || !options.messages) continue;
    const [message, theirs] = [one.message, other.message];
    if (withoutAddresses(message) !== withoutAddresses(theirs)) {
      found.differences.push({ field: `${field} message`, a: message, b: theirs });
    }
  }
}

/** Messages may name addresses, which differ between any two clusters. */
function withoutAddresses(message: string): string {
  return message
    .replace(/\b\d{1,3}(\.\d{1,3}){3}\b/g, "<address>")
    .replace(/(?<![\w:])[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}(?![\w:])/gi, "<address>");
}

/** Conditions that report a fault: not to have one and to have it False are the same. */
const faults = new Set(["Conflicted", "OverlappingTLSConfig", "PartiallyInvalid"]);

/** Conditions that not every implementation sets: not to have one and to have it True are the same. */
const voluntary = new Set(["SupportedVersion"]);

/** Success in other words: True for another reason, unless the reason takes some of it back. */
function meansTheSame(one: Condition | undefined, other: Condition | undefined): boolean {
  const present = [one, other].filter((condition) => condition !== undefined);
  if (present.every(({ type }) => faults.has(type))) return present.every(({ status }) => status === "False");
  if (present.every(({ type }) => voluntary.has(type))) return present.every(({ status }) => status === "True");
  const isSuccess = ({ status, reason }: Condition): boolean => status === "True" && reason !== "ListenersNotValid";
  return present.length === 2 && present.every(isSuccess);
}

/** `True (Accepted)`. A condition that was computed from an older spec says so: it is not true of this one. */
function conditionText(condition: Condition | undefined, owner: StatusOwner): string | null {
  if (!condition) return null;
  return `${condition.status} (${condition.reason})${isStale(condition, owner) ? ", of an older spec" : ""}`;
}

const isStale = (condition: Condition | undefined, { generation }: StatusOwner): boolean =>
  condition?.observedGeneration !== undefined && condition.observedGeneration < generation;

function compareListeners(a: Side, b: Side, options: StatusOptions, found: Findings): void {
  for (const [name, one, other] of pairs(a.status.listeners, b.status.listeners, (listener) => listener.name)) {
    const place = `listener ${name}`;
    if (!one || !other) {
      found.differences.push({ field: `${place} in the status`, a: one ? "there" : null, b: other ? "there" : null });
      continue;
    }
    compareConditions(place, a, b, one.conditions, other.conditions, options, found);
    addIfDifferent(found, `${place}: attachedRoutes`, one.attachedRoutes ?? 0, other.attachedRoutes ?? 0);
    compareKinds(place, one, other, options, found);
  }
}

function compareKinds(
  place: string,
  one: ListenerStatus,
  other: ListenerStatus,
  { all, kindsInUse }: StatusOptions,
  found: Findings,
): void {
  const names = ({ supportedKinds = [] }: ListenerStatus): string[] => supportedKinds.map(({ kind }) => kind).sort();
  const [left, right] = [names(one), names(other)];
  if (sameMembers(left, right)) return;
  const unshared = [...left, ...right].filter((kind) => !left.includes(kind) || !right.includes(kind));
  const list = all || unshared.some((kind) => kindsInUse.has(kind)) ? found.differences : found.notes;
  list.push({ field: `${place}: supportedKinds`, a: left, b: right });
}

function compareAttachments(
  member: "parentRef" | "ancestorRef",
  a: Side,
  b: Side,
  options: StatusOptions,
  found: Findings,
): void {
  const list = ({ status }: Side): Attachment[] =>
    (member === "parentRef" ? status.parents : status.ancestors)?.filter((each) => each[member]) ?? [];
  const place = (side: Side) => (each: Attachment) => placeOf(each[member] as Reference, side.owner.namespace);
  const [left, right] = [byPlace(list(a), place(a)), byPlace(list(b), place(b))];
  for (const [name, one, other] of pairs([...left], [...right], ([key]) => key)) {
    const [mine, theirs] = [one?.[1], other?.[1]];
    if (!mine || !theirs) {
      const text = (each: Attachment | undefined): string | null => (each ? `taken by ${each.controllerName}` : null);
      found.differences.push({ field: name, a: text(mine), b: text(theirs) });
      continue;
    }
    compareConditions(name, a, b, mine.conditions, theirs.conditions, options, found);
    addIfDifferent(found, `${name}: controllerName`, mine.controllerName, theirs.controllerName);
  }
}

/** By place alone where one controller answered there, so that two implementations are compared with one another. */
function byPlace(list: Attachment[], place: (each: Attachment) => string): Map<string, Attachment> {
  const places = list.map(place);
  return new Map(
    list.map((each, index) => {
      const shared = places.filter((other) => other === places[index]).length > 1;
      return [shared ? `${places[index]} (${each.controllerName})` : (places[index] ?? ""), each];
    }),
  );
}

/** `Gateway traefik/web#section:port`; the namespace is the object's own when none is written. */
function placeOf({ kind, namespace, name, sectionName, port }: Reference, ownNamespace: string): string {
  const section = sectionName === undefined ? "" : `#${sectionName}`;
  return `${kind ?? "Gateway"} ${namespace ?? ownNamespace}/${name}${section}${port === undefined ? "" : `:${port}`}`;
}

/** Features are names since v1.4 of the API (`{ name }`), and were plain strings before. */
function compareFeatures(left: ComparedStatus, right: ComparedStatus, found: Findings): void {
  const names = (status: ComparedStatus): string[] =>
    (status.supportedFeatures ?? []).map((feature) => (typeof feature === "string" ? feature : feature.name));
  const [one, other] = [names(left), names(right)];
  const onlyIn = (list: string[], rest: string[]): string[] => list.filter((name) => !rest.includes(name)).sort();
  if (sameMembers(one, other)) return;
  found.differences.push({ field: "supportedFeatures of one only", a: onlyIn(one, other), b: onlyIn(other, one) });
}

function unknownPart(status: ComparedStatus): Record<string, unknown> {
  return Object.fromEntries(Object.entries(status).filter(([key]) => !known.has(key)));
}

function* pairs<T>(
  left: readonly T[] | undefined,
  right: readonly T[] | undefined,
  key: (member: T) => string,
): Generator<[string, T | undefined, T | undefined]> {
  const keys = new Set([...(left ?? []), ...(right ?? [])].map(key));
  for (const name of [...keys].sort()) {
    yield [name, left?.find((member) => key(member) === name), right?.find((member) => key(member) === name)];
  }
}

function addIfDifferent(found: Findings, field: string, a: unknown, b: unknown): void {
  if (JSON.stringify(a) !== JSON.stringify(b)) found.differences.push({ field, a, b });
}
