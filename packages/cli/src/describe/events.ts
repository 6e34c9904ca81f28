// The events at the end of `describe`.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type Event, events } from "@gatehouse/apimachinery/types/core-v1";
import { age, type Surroundings } from "./describe-parts.ts";
import type { DescribeWriter } from "./describe-writer.ts";

export async function describeEvents(writer: DescribeWriter, object: KubeObject, around: Surroundings): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  const fieldSelector = [
    `involvedObject.name=${name}`,
    `involvedObject.kind=${object.kind}`,
    ...(namespace ? [`involvedObject.namespace=${namespace}`] : []),
    ...(uid ? [`involvedObject.uid=${uid}`] : []),
  ].join(",");
  const found = await around.list(events, { ...(namespace ? { namespace } : {}), fieldSelector });
  const sorted = (found ?? []).toSorted((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1));
  const rows = sorted.map((event) => [
    event.type ?? "",
    event.reason ?? "",
    agesOf(event),
    event.source?.component || event.reportingComponent || "",
    (event.message ?? "").trim(),
  ]);
  writer.table(0, "Events", ["Type", "Reason", "Age", "From", "Message"], rows);
}

const lastSeen = (event: Event): string =>
  event.lastTimestamp ??
  (event.eventTime as string | undefined) ??
  event.firstTimestamp ??
  event.metadata.creationTimestamp ??
  "";

/** `5m (x3 over 12m)` for what happened several times. */
function agesOf(event: Event): string {
  const last = age(lastSeen(event));
  return (event.count ?? 1) > 1 ? `${last} (x${event.count} over ${age(event.firstTimestamp)})` : last;
}
