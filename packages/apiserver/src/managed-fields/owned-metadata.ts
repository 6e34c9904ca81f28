// The fields that are nobody's: what the server itself says of an object, and what names it.

import type { FieldSet } from "./field-set.ts";
import { below, nodeOf, setOf } from "./field-set.ts";
import { fieldName } from "./path-element.ts";

/** In metadata (managedfields/internal stripmeta.go). */
export const unownedMetadata: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "clusterName",
  "generation",
  "managedFields",
  "resourceVersion",
]);

/** Which part of an object a request can change: all but the status, the status alone, or all of it. */
export type OwnablePart = "all" | "not-status" | "status";

/** Which part of an object a write can change: kinds without a status subresource know no parts. */
export function partOf(hasStatus: boolean, scope: "object" | "status"): OwnablePart {
  if (scope === "status") return "status";
  return hasStatus ? "not-status" : "all";
}

/** `set` without what nobody owns, and without what the request cannot change. */
export function ownable(set: FieldSet, part: OwnablePart): FieldSet {
  const kept: [string, FieldSet][] = [];
  for (const [element, node] of below(set)) {
    const name = fieldName(element) ?? "";
    const isStatus = name === "status";
    if (name === "apiVersion" || name === "kind") continue;
    if ((part === "status" && !isStatus) || (part === "not-status" && isStatus)) continue;
    const rest = name === "metadata" ? withoutUnowned(node) : node;
    if (rest) kept.push([element, rest]);
  }
  return setOf(kept);
}

function withoutUnowned(metadata: FieldSet): FieldSet | undefined {
  return nodeOf(
    below(metadata).filter(([element]) => !unownedMetadata.has(fieldName(element) ?? "")),
    false,
  );
}
