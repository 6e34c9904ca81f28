// Which pods of a StatefulSet come and go next, and its status. Pure, after kube-controller-manager's statefulset package.

import { controllerReference } from "@gatehouse/apimachinery/meta";
import type { StatefulSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod, PodTemplateSpec } from "@gatehouse/apimachinery/types/core-v1";
import { revisionHashLabel } from "./controller-revisions.ts";
import { isAvailable, isReady, isTerminal, isTerminating } from "./pod-state.ts";
import { replicasOf } from "./replica-set-plan.ts";
import { resolveIntOrPercent } from "./rolling.ts";

/** Names of the two revisions a set may have pods of. */
export interface Revisions {
  /** Pods below the partition are of this one. */
  current: string;
  update: string;
}

export interface StatefulPlan {
  /** Ordinals that need a pod. */
  create: number[];
  delete: Pod[];
}

const firstOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;
const revisionOf = (pod: Pod): string => pod.metadata.labels?.[revisionHashLabel] ?? "";
const isRunning = (pod: Pod): boolean => pod.status?.phase === "Running" && isReady(pod);
const available = ({ spec }: StatefulSet, pod: Pod): boolean =>
  isRunning(pod) && isAvailable(pod, spec.minReadySeconds ?? 0);

/** The ordinal in a pod's name; undefined when the name is not one of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const { name } = pod.metadata;
  const stem = `${set.metadata.name}-`;
  const digits = name.startsWith(stem) ? name.slice(stem.length) : "";
  return /^(0|[1-9]\d{0,9})$/.test(digits) ? Number(digits) : undefined;
}

/** One pass over the pods the set owns. With OrderedReady at most one step is taken, and only from a settled state. */
export function planStatefulPods(set: StatefulSet, revisions: Revisions, pods: Pod[]): StatefulPlan {
  const ordered = set.spec.podManagementPolicy !== "Parallel";
  const { wanted, surplus } = sortByOrdinal(set, pods);
  const plan: StatefulPlan = { create: [], delete: [] };
  const firstUnhealthy = [...wanted.map(({ pod }) => pod), ...surplus.toReversed()].find(
    (pod) => pod && !(isRunning(pod) && !isTerminating(pod)),
  );
  for (const { ordinal, pod } of wanted) {
    if (!pod) plan.create.push(ordinal);
    else if (isTerminal(pod)) {
      if (!isTerminating(pod)) plan.delete.push(pod);
    } else if (!isTerminating(pod) && available(set, pod)) continue;
    if (ordered) return plan;
  }
  for (const pod of surplus) {
    if (isTerminating(pod)) {
      if (ordered) return plan;
      continue;
    }
    if (ordered && !available(set, pod) && pod !== firstUnhealthy) return plan;
    plan.delete.push(pod);
    if (ordered) return plan;
  }
  if (set.spec.updateStrategy?.type !== "OnDelete") {
    const present = wanted.flatMap(({ ordinal, pod }) => (pod && !plan.delete.includes(pod) ? [{ ordinal, pod }] : []));
    if (plan.create.length === 0) plan.delete.push(...outdated(set, revisions, present));
  }
  return plan;
}

function sortByOrdinal(set: StatefulSet, pods: Pod[]) {
  const start = firstOrdinal(set);
  const end = start + replicasOf(set);
  const byOrdinal = new Map<number, Pod>();
  for (const pod of pods) byOrdinal.set(ordinalOf(set, pod) ?? -1, pod);
  const wanted = Array.from({ length: end - start }, (_, index) => ({
    ordinal: start + index,
    pod: byOrdinal.get(start + index),
  }));
  const surplus = [...byOrdinal]
    .filter(([ordinal]) => ordinal < start || ordinal >= end)
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  return { wanted, surplus };
}

/** Pods to replace: from the highest ordinal down to the partition, as many as may be unavailable (one unless set). */
function outdated(set: StatefulSet, revisions: Revisions, present: { ordinal: number; pod: Pod }[]): Pod[] {
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const lowest = firstOrdinal(set) + partition;
  let budget = Math.max(1, resolveIntOrPercent(maxUnavailable, replicasOf(set), "up"));
  const chosen: Pod[] = [];
  for (const { ordinal, pod } of present.toReversed()) {
    if (ordinal < lowest || budget === 0) break;
    if (revisionOf(pod) !== revisions.update && !isTerminating(pod)) chosen.push(pod);
    else if (!isTerminating(pod) && available(set, pod)) continue;
    budget--;
  }
  return chosen;
}

/** The revision a new pod of `ordinal` is made from. */
export function revisionFor(set: StatefulSet, revisions: Revisions, ordinal: number): string {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  const keeps = type !== "OnDelete" && ordinal < firstOrdinal(set) + (rollingUpdate?.partition ?? 0);
  return keeps ? revisions.current : revisions.update;
}

/** The pod of `ordinal`: its name, host name and labels are its own for good. */
export function statefulPod(set: StatefulSet, template: PodTemplateSpec, revision: string, ordinal: number): Pod {
  const name = `${set.metadata.name}-${ordinal}`;
  const { metadata, spec } = structuredClone(template);
  const labels = {
    ...metadata?.labels,
    "statefulset.kubernetes.io/pod-name": name,
    "apps.kubernetes.io/pod-index": String(ordinal),
    [revisionHashLabel]: revision,
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? "default",
      labels,
      ownerReferences: [controllerReference(set)],
    },
    spec: { ...spec, hostname: name, ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}) },
  };
}

/** The status the StatefulSet should have. When an update is through, the updated revision becomes the current one. */
export function statefulSetStatus(
  set: StatefulSet,
  revisions: Revisions,
  pods: Pod[],
): NonNullable<StatefulSet["status"]> {
  const { collisionCount, conditions } = set.status ?? {};
  const count = (holds: (pod: Pod) => boolean): number => pods.filter(holds).length;
  const living = (pod: Pod): boolean => !isTerminating(pod);
  const updated = count((pod) => living(pod) && revisionOf(pod) === revisions.update);
  const ready = count(isRunning);
  const complete =
    set.spec.updateStrategy?.type !== "OnDelete" &&
    updated === pods.length &&
    ready === pods.length &&
    pods.length === replicasOf(set);
  const current = complete ? revisions.update : revisions.current;
  return {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: count((pod) => available(set, pod)),
    currentReplicas: count((pod) => living(pod) && revisionOf(pod) === current),
    updatedReplicas: updated,
    currentRevision: current,
    updateRevision: revisions.update,
    collisionCount: collisionCount ?? 0,
    ...(conditions && conditions.length > 0 ? { conditions } : {}),
  };
}
