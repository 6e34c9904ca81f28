// What a component that records Events writes, with client-go's names and fields.

import { timestamp } from "./meta.ts";
import type { Event, ObjectReference } from "./types/core-v1.ts";

/** Something that happened to an object. */
export interface Occurrence {
  about: ObjectReference;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
}

/** A first Event about `about`, in its namespace (`default` for cluster-scoped objects), reported by `component`. */
export function newEvent(
  { about, type, reason, message }: Occurrence,
  { component, host }: { component: string; host?: string },
): Event {
  const now = timestamp();
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: eventName(about.name ?? ""), namespace: about.namespace ?? "default" },
    involvedObject: about,
    type,
    reason,
    message,
    source: { component, ...(host === undefined ? {} : { host }) },
    reportingComponent: component,
    reportingInstance: host ?? "",
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}

let sequence = 0n;

/** `<object>.<nanoseconds in hex>`, no two alike. */
export function eventName(about: string): string {
  sequence++;
  return `${about}.${(BigInt(Date.now()) * 1_000_000n + (sequence % 1_000_000n)).toString(16)}`;
}
