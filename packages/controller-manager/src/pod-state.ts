// Questions about one pod that several controllers ask, answered as Kubernetes answers them.

import { timestamp } from "@gatehouse/apimachinery/meta";
import type { Pod, PodCondition } from "@gatehouse/apimachinery/types/core-v1";

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** True once the pod's containers have ended for good. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Counts towards a ReplicaSet's replicas. */
export function isActive(pod: Pod): boolean {
  return !isTerminal(pod) && !isTerminating(pod);
}

/** Milliseconds until a ready pod counts as available; 0 when it does, undefined when it is not ready. */
export function availableAfter(pod: Pod, minReadySeconds: number, now: number = Date.now()): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  const since = Date.parse(ready.lastTransitionTime ?? timestamp(new Date(now)));
  return Math.max(0, since + minReadySeconds * 1000 - now);
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number = Date.now()): boolean {
  return availableAfter(pod, minReadySeconds, now) === 0;
}
