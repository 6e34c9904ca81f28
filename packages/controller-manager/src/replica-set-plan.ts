// What a ReplicaSet lacks or has too much of, and its status: pure functions of the ReplicaSet and its active pods.

import { timestamp } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { ReplicaSet, WorkloadCondition } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { isAvailable, isReady, podCondition } from "./pod-state.ts";

export interface ReplicaPlan {
  create: number;
  delete: Pod[];
}

export const replicasOf = (owner: { spec: { replicas?: number } }): number => owner.spec.replicas ?? 1;

/** `active` are the ReplicaSet's pods that neither ended nor are ending. */
export function planReplicas(replicaSet: ReplicaSet, active: Pod[]): ReplicaPlan {
  const wanted = replicasOf(replicaSet);
  return {
    create: Math.max(0, wanted - active.length),
    delete: active.toSorted(compareForDeletion).slice(0, Math.max(0, active.length - wanted)),
  };
}

/**
 * Whom to delete first, as kube-controller-manager ranks it (controller.ActivePodsWithRanks): unassigned, pending,
 * not ready, cheap by `pod-deletion-cost`, latest ready, most restarted, newest. Node spread does not count: there
 * is one node.
 */
export function compareForDeletion(a: Pod, b: Pod): number {
  return (
    Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
    phaseRank(a) - phaseRank(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    compareTimes(readySince(b), readySince(a)) ||
    restarts(b) - restarts(a) ||
    compareTimes(b.metadata.creationTimestamp ?? "", a.metadata.creationTimestamp ?? "")
  );
}

const phaseRank = (pod: Pod): number => ["Pending", "Unknown", "Running"].indexOf(pod.status?.phase ?? "Pending");
const readySince = (pod: Pod): string => (isReady(pod) ? (podCondition(pod, "Ready")?.lastTransitionTime ?? "") : "");
const compareTimes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function deletionCost(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((container) => container.restartCount));
}

/** The status the ReplicaSet should have. `failure` is what stopped the last creation or deletion, if anything did. */
export function replicaSetStatus(
  replicaSet: ReplicaSet,
  active: Pod[],
  failure: { reason: "FailedCreate" | "FailedDelete"; message: string } | undefined,
): NonNullable<ReplicaSet["status"]> {
  const { spec, metadata, status } = replicaSet;
  const templateLabels = requirementsOf({ matchLabels: spec.template.metadata?.labels ?? {} });
  const count = (holds: (pod: Pod) => boolean): number => active.filter(holds).length;
  const { conditions: _, ...rest } = status ?? { replicas: 0 };
  const conditions = conditionsWith(status?.conditions ?? [], failure);
  return {
    ...rest,
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => matchesLabels(templateLabels, pod.metadata.labels)),
    readyReplicas: count(isReady),
    availableReplicas: count((pod) => isAvailable(pod, spec.minReadySeconds ?? 0)),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

function conditionsWith(
  present: WorkloadCondition[],
  failure: { reason: string; message: string } | undefined,
): WorkloadCondition[] {
  const others = present.filter((condition) => condition.type !== "ReplicaFailure");
  if (!failure) return others;
  const already = present.find((condition) => condition.type === "ReplicaFailure");
  return [
    ...others,
    already ?? { type: "ReplicaFailure", status: "True", lastTransitionTime: timestamp(), ...failure },
  ];
}
