// What the views of several kinds share: the head, conditions, times, and looking up related objects.

import { type Condition, controllerOf, type KubeObject } from "@gatehouse/apimachinery/meta";
import { humanDuration } from "@gatehouse/apimachinery/duration";
import type { ListOptions } from "@gatehouse/apimachinery/api-client";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { DescribeWriter } from "./describe-writer.ts";

/** How views see the rest of the cluster. */
export interface Surroundings {
  /** Undefined when the server does not have or does not show them: a view leaves the part out then. */
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<T[] | undefined>;
  /** The served types of a group. */
  typesOf(group: string): Promise<ResourceType[]>;
}

/** Writes what is particular to a kind, between the head and the events. */
export type DescribeView = (writer: DescribeWriter, object: KubeObject, around: Surroundings) => Promise<void> | void;

const hidden = "kubectl.kubernetes.io/last-applied-configuration";

/** Name, namespace, labels and annotations. */
export function describeHead(writer: DescribeWriter, { metadata }: KubeObject): void {
  writer.line(0, "Name:", metadata.name);
  if (metadata.namespace) writer.line(0, "Namespace:", metadata.namespace);
  writer.list(0, "Labels", pairs(metadata.labels, "="));
  const { [hidden]: _, ...annotations } = metadata.annotations ?? {};
  writer.list(0, "Annotations", pairs(annotations, ": "));
}

/** The lines under the head that Gateway API views share. */
export function describeIdentity(writer: DescribeWriter, { apiVersion, kind, metadata }: KubeObject): void {
  writer.line(0, "API Version:", apiVersion);
  writer.line(0, "Kind:", kind);
  writer.line(0, "Created:", when(metadata.creationTimestamp));
  if (metadata.generation !== undefined) writer.line(0, "Generation:", String(metadata.generation));
}

export function pairs(map: Record<string, string> | undefined, separator: string): string[] {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}${separator}${value}`);
}

/** `2026-01-31T12:00:00Z (5m ago)`. */
export function when(time: string | undefined): string {
  return time === undefined ? "<unknown>" : `${time} (${age(time)} ago)`;
}

/** `5m12s`, or `<unknown>`: also for 1970, which the CRDs of the Gateway API have as the default of a condition's time. */
export function age(time: string | undefined | null): string {
  const at = time ? Date.parse(time) : 0;
  return at > 0 ? humanDuration(Date.now() - at) : "<unknown>";
}

/** `observed` is the object's generation: a condition that was written for an older one is marked. */
export function describeConditions(
  writer: DescribeWriter,
  level: number,
  conditions: readonly Partial<Condition>[] | undefined,
  observed?: number,
): void {
  const rows = (conditions ?? []).map(
    ({ type = "", status = "", reason = "", message = "", lastTransitionTime, observedGeneration }) => {
      const stale = observed !== undefined && observedGeneration !== undefined && observedGeneration < observed;
      return [
        type,
        status,
        reason,
        age(lastTransitionTime),
        (stale ? `(for generation ${observedGeneration}) ` : "") + message,
      ];
    },
  );
  writer.table(level, "Conditions", ["Type", "Status", "Reason", "Age", "Message"], rows);
}

/** `ReplicaSet/whoami-v1-5d9`. */
export function describeController(writer: DescribeWriter, object: KubeObject): void {
  const owner = controllerOf(object);
  if (owner) writer.line(0, "Controlled By:", `${owner.kind}/${owner.name}`);
}
