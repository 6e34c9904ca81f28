// events.k8s.io/v1 Events are stored as core/v1 Events; the two differ in field names only (pkg/apis/events/v1/conversion.go).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceDefinition } from "./resource-definition.ts";

/** New name to core name. */
const renamed: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

/** True for the events.k8s.io form, whose objects are kept in the core form. */
export function isNewEvents(definition: ResourceDefinition): boolean {
  return definition.type.group === "events.k8s.io" && definition.type.plural === "events";
}

/** An events.k8s.io Event in the core form. Shares what needs no renaming. */
export function eventToStored(event: KubeObject): KubeObject {
  return rename(event, "v1", renamed);
}

/** A core Event in the events.k8s.io form. */
export function eventFromStored(event: KubeObject): KubeObject {
  return rename(
    event,
    "events.k8s.io/v1",
    renamed.map(([newName, coreName]) => [coreName, newName] as const),
  );
}

function rename(event: KubeObject, apiVersion: string, names: readonly (readonly [string, string])[]): KubeObject {
  const result: KubeObject = { ...event, apiVersion };
  for (const [from, to] of names) {
    if (result[from] === undefined) continue;
    result[to] = result[from];
    delete result[from];
  }
  return result;
}
