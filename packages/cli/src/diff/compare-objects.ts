// The objects of two clusters, one by one: there in one only, spec, status. Pure.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { type ComparedStatus, compareStatus, type StatusOptions } from "./compare-status.ts";
import { compareValues } from "./compare-values.ts";
import { noFindings, type ObjectFindings } from "./report.ts";

/** Labels and annotations that tools write for themselves, with something of their cluster in them. */
const bookkeeping = [
  "kubectl.kubernetes.io/last-applied-configuration",
  "meta.helm.sh/release-name",
  "meta.helm.sh/release-namespace",
  "app.kubernetes.io/managed-by",
  "helm.sh/chart",
];

/** Every object of either cluster; those without a difference have empty findings. Sorted by kind, then name. */
export function compareObjects(
  a: readonly KubeObject[],
  b: readonly KubeObject[],
  options: StatusOptions,
): ObjectFindings[] {
  const [left, right] = [byName(a), byName(b)];
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  return names.map((object) => ({ object, ...compareObject(left.get(object), right.get(object), options) }));
}

/** `HTTPRoute demo/whoami-host`, or `GatewayClass traefik`. */
export const objectName = (object: KubeObject): string => `${object.kind} ${objectKey(object)}`;

const byName = (objects: readonly KubeObject[]): Map<string, KubeObject> =>
  new Map(objects.map((object) => [objectName(object), object]));

function compareObject(a: KubeObject | undefined, b: KubeObject | undefined, options: StatusOptions) {
  if (!a || !b) {
    return { ...noFindings(), differences: [{ field: "object", a: a ? "there" : null, b: b ? "there" : null }] };
  }
  const found = compareStatus(statusOf(a), statusOf(b), options);
  found.differences.unshift(...compareValues("", contentOf(a), contentOf(b)));
  if (isGoing(a) !== isGoing(b)) {
    found.differences.unshift({ field: "being deleted", a: isGoing(a), b: isGoing(b) });
  }
  found.notes.unshift(...compareValues("metadata", wordsOf(a), wordsOf(b)));
  return found;
}

/** What people wrote: everything but metadata and status (`spec`, and whatever else a kind has at its top). */
function contentOf({ apiVersion: _1, kind: _2, metadata: _3, status: _4, ...content }: KubeObject) {
  return content;
}

/** Of the metadata only labels and annotations are people's; the rest (uid, times, managers, ...) is the server's. */
function wordsOf({ metadata }: KubeObject): Record<string, Record<string, string>> {
  const own = (words: Record<string, string> | undefined): Record<string, string> =>
    Object.fromEntries(Object.entries(words ?? {}).filter(([key]) => !bookkeeping.includes(key)));
  return { labels: own(metadata.labels), annotations: own(metadata.annotations) };
}

const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

function statusOf(object: KubeObject) {
  const { namespace = "", generation = 0 } = object.metadata;
  return { status: (object.status ?? {}) as ComparedStatus, owner: { namespace, generation } };
}
