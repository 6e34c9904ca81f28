// A Deployment's status: counters summed over its ReplicaSets, and the Available and Progressing conditions that
// `kubectl rollout status`, `kubectl wait` and Helm wait for. Pure, after kube-controller-manager's deployment package.

import { timestamp } from "@gatehouse/apimachinery/meta";
import type { Deployment, ReplicaSet, WorkloadCondition } from "@gatehouse/apimachinery/types/apps-v1";
import { replicasOf } from "./replica-set-plan.ts";
import { maxUnavailable, sum } from "./rolling.ts";

export type DeploymentStatus = NonNullable<Deployment["status"]>;

/** A change of a condition; `lastTransitionTime` is filled in from what was there. */
export interface ConditionChange {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
}

/** Replaces a condition unless it already has this status and reason. */
export function withCondition(
  conditions: WorkloadCondition[],
  change: ConditionChange,
  now: string,
): WorkloadCondition[] {
  const present = conditions.find((condition) => condition.type === change.type);
  if (present?.status === change.status && present.reason === change.reason) return conditions;
  const lastTransitionTime = present?.status === change.status ? present.lastTransitionTime : now;
  return [...without(conditions, change.type), { ...change, lastUpdateTime: now, lastTransitionTime }];
}

const without = (conditions: WorkloadCondition[], type: string): WorkloadCondition[] =>
  conditions.filter((condition) => condition.type !== type);

const find = (conditions: WorkloadCondition[] | undefined, type: string): WorkloadCondition | undefined =>
  conditions?.find((condition) => condition.type === type);

/** Counters and the Available condition; other conditions are kept from `conditions`. */
export function countedStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  old: ReplicaSet[],
  conditions: WorkloadCondition[],
  now: string = timestamp(),
): DeploymentStatus {
  const all = newest ? [...old, newest] : old;
  const available = sum(all, ({ status }) => status?.availableReplicas ?? 0);
  const enough = available >= replicasOf(deployment) - maxUnavailable(deployment);
  const { collisionCount } = deployment.status ?? {};
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    replicas: sum(all, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: sum(all, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
    ...(collisionCount ? { collisionCount } : {}),
    conditions: withCondition(
      conditions,
      enough
        ? {
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.",
          }
        : {
            type: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.",
          },
      now,
    ),
  };
}

/** `counted` with its Progressing and ReplicaFailure conditions, for a Deployment that is not paused. */
export function rolloutStatus(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  old: ReplicaSet[],
  counted: DeploymentStatus,
  now: string = timestamp(),
): DeploymentStatus {
  const conditions = counted.conditions ?? [];
  const progressed = hasDeadline(deployment)
    ? progressConditions(deployment, newest, counted, conditions, now)
    : without(conditions, "Progressing");
  const failure = [newest, ...old].map((set) => find(set?.status?.conditions, "ReplicaFailure")).find(Boolean);
  const { type, status, reason, message } = failure ?? {};
  return {
    ...counted,
    conditions:
      type !== undefined && status !== undefined
        ? withCondition(progressed, { type, status, reason: reason ?? "", message: message ?? "" }, now)
        : without(progressed, "ReplicaFailure"),
  };
}

function progressConditions(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  counted: DeploymentStatus,
  conditions: WorkloadCondition[],
  now: string,
): WorkloadCondition[] {
  const present = find(conditions, "Progressing");
  if (counted.replicas === counted.updatedReplicas && present?.reason === "NewReplicaSetAvailable") return conditions;
  const subject = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  const change = (status: "True" | "False", reason: string, what: string): ConditionChange => ({
    type: "Progressing",
    status,
    reason,
    message: `${subject} ${what}`,
  });
  if (isComplete(deployment, counted)) {
    return withCondition(conditions, change("True", "NewReplicaSetAvailable", "has successfully progressed."), now);
  }
  if (hasProgressed(deployment.status ?? {}, counted)) {
    // The same reason again is written again: its lastUpdateTime restarts the deadline.
    const lastTransitionTime = present?.status === "True" ? present.lastTransitionTime : now;
    const updated = change("True", "ReplicaSetUpdated", "is progressing.");
    return [...without(conditions, "Progressing"), { ...updated, lastUpdateTime: now, lastTransitionTime }];
  }
  if (isTimedOut(deployment, present, now)) {
    return withCondition(conditions, change("False", "ProgressDeadlineExceeded", "has timed out progressing."), now);
  }
  return conditions;
}

/** Every wanted pod is of the present template and available, none other is left, and this generation was seen. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    status.updatedReplicas === wanted &&
    status.replicas === wanted &&
    status.availableReplicas === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const outdated = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    outdated(after) < outdated(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

const noDeadline = 2_147_483_647;

function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadline;
}

function isTimedOut(deployment: Deployment, progressing: WorkloadCondition | undefined, now: string): boolean {
  if (!progressing || progressing.reason === "NewReplicaSetAvailable") return false;
  if (progressing.reason === "ProgressDeadlineExceeded") return true;
  return Date.parse(now) > deadlineOf(deployment, progressing);
}

function deadlineOf({ spec }: Deployment, progressing: WorkloadCondition): number {
  const since = Date.parse(progressing.lastUpdateTime ?? progressing.lastTransitionTime);
  return since + (spec.progressDeadlineSeconds ?? 0) * 1000;
}

/** Milliseconds until the progress deadline has to be looked at; undefined when nothing is awaited. */
export function deadlineCheckAfter(deployment: Deployment, status: DeploymentStatus): number | undefined {
  const progressing = find(status.conditions, "Progressing");
  if (!progressing || !hasDeadline(deployment) || deployment.spec.paused || isComplete(deployment, status))
    return undefined;
  if (progressing.reason === "ProgressDeadlineExceeded" || progressing.reason === "NewReplicaSetAvailable")
    return undefined;
  // Times are whole seconds: one more makes sure that the deadline is over.
  return Math.max(0, deadlineOf(deployment, progressing) - Date.now()) + 1_000;
}

/** The change of the Progressing condition when the Deployment was paused or resumed since, if it was. */
export function pauseChange(deployment: Deployment): ConditionChange | undefined {
  if (!hasDeadline(deployment)) return undefined;
  const reason = find(deployment.status?.conditions, "Progressing")?.reason;
  if (reason === "ProgressDeadlineExceeded") return undefined;
  if (deployment.spec.paused && reason !== "DeploymentPaused") {
    return { type: "Progressing", status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" };
  }
  if (!deployment.spec.paused && reason === "DeploymentPaused") {
    return { type: "Progressing", status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" };
  }
  return undefined;
}
