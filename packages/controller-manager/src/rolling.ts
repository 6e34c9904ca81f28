// How a Deployment moves from old ReplicaSets to its new one: the arithmetic of surge and unavailability, and the
// scaling steps of one pass. Pure; the rules are those of kube-controller-manager's deployment package.

import type { Deployment, IntOrPercent, ReplicaSet } from "@gatehouse/apimachinery/types/apps-v1";
import { replicasOf } from "./replica-set-plan.ts";

/** Sets a ReplicaSet's size. */
export interface ScaleStep {
  replicaSet: ReplicaSet;
  replicas: number;
}

/** The Deployment's size, and that with surge, when a ReplicaSet was last scaled: tells scaling from rolling. */
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** A count as it is, or a percentage of `total` rounded the way asked for. What cannot be read counts as 0. */
export function resolveIntOrPercent(value: IntOrPercent, total: number, round: "up" | "down"): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  if (percent === undefined) return Number.parseInt(value, 10) || 0;
  const share = (Number(percent) * total) / 100;
  return round === "up" ? Math.ceil(share) : Math.floor(share);
}

/** Surge rounds up, unavailability down; both zero would never move, so unavailability is then 1. */
export function resolveFenceposts(
  limits: { maxSurge?: IntOrPercent; maxUnavailable?: IntOrPercent },
  total: number,
): { surge: number; unavailable: number } {
  const surge = resolveIntOrPercent(limits.maxSurge ?? 0, total, "up");
  const unavailable = resolveIntOrPercent(limits.maxUnavailable ?? 0, total, "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== "Recreate";
}

/** Pods above `spec.replicas` that a rolling update may have. */
export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

/** Pods below `spec.replicas` that a rolling update may lack. */
export function maxUnavailable(deployment: Deployment): number {
  const total = replicasOf(deployment);
  if (!isRollingUpdate(deployment) || total === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, total);
}

function fenceposts(deployment: Deployment) {
  const { maxSurge: surge = "25%", maxUnavailable: unavailable = "25%" } =
    deployment.spec.strategy?.rollingUpdate ?? {};
  return resolveFenceposts({ maxSurge: surge, maxUnavailable: unavailable }, replicasOf(deployment));
}

/** The size the new ReplicaSet may take now, given what `others` already hold. `present` is its size, 0 before it exists. */
export function newReplicaSetSize(deployment: Deployment, others: ReplicaSet[], present: number): number {
  const wanted = replicasOf(deployment);
  if (!isRollingUpdate(deployment) || present > wanted) return wanted;
  const room = wanted + maxSurge(deployment) - sum(others, replicasOf) - present;
  return room <= 0 ? present : present + Math.min(room, wanted - present);
}

/** One pass of a rolling update: either the new ReplicaSet grows, or old ones shrink. Empty when all must wait. */
export function planRollingUpdate(deployment: Deployment, newest: ReplicaSet, old: ReplicaSet[]): ScaleStep[] {
  const size = newReplicaSetSize(deployment, old, replicasOf(newest));
  if (size !== replicasOf(newest)) return [{ replicaSet: newest, replicas: size }];
  return planOldReplicaSets(deployment, newest, old);
}

/** Unhealthy old pods go first; then as many healthy ones as availability allows, from the oldest ReplicaSet on. */
function planOldReplicaSets(deployment: Deployment, newest: ReplicaSet, old: ReplicaSet[]): ScaleStep[] {
  const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
  const newUnavailable = replicasOf(newest) - availableOf(newest);
  let removable = sum([...old, newest], replicasOf) - minAvailable - newUnavailable;
  if (removable <= 0) return [];
  const sizes = new Map(oldestFirst(old).map((replicaSet) => [replicaSet, replicasOf(replicaSet)]));
  for (const [replicaSet, size] of sizes) {
    const unhealthy = Math.min(removable, Math.max(0, size - availableOf(replicaSet)));
    removable -= unhealthy;
    sizes.set(replicaSet, size - unhealthy);
  }
  let spare = Math.max(0, sum([...old, newest], availableOf) - minAvailable);
  for (const [replicaSet, size] of sizes) {
    const healthy = Math.min(spare, size);
    spare -= healthy;
    sizes.set(replicaSet, size - healthy);
  }
  return changed([...sizes].map(([replicaSet, replicas]) => ({ replicaSet, replicas })));
}

/**
 * Sizes after `spec.replicas` changed, or while paused: the only active (or else the latest) ReplicaSet takes it all;
 * in the middle of a rolling update the difference is spread in proportion to the ReplicaSets' sizes. Steps that keep
 * a size are given too: their ReplicaSets' annotations have to learn the Deployment's new size.
 */
export function planScaling(deployment: Deployment, newest: ReplicaSet | undefined, old: ReplicaSet[]): ScaleStep[] {
  const wanted = replicasOf(deployment);
  const all = newest ? [...old, newest] : old;
  const active = all.filter((replicaSet) => replicasOf(replicaSet) > 0);
  if (active.length <= 1) {
    const single = active[0] ?? newest ?? oldestFirst(old).at(-1);
    return single ? [{ replicaSet: single, replicas: wanted }] : [];
  }
  const activeOld = active.filter((replicaSet) => replicaSet !== newest);
  if (newest && isSaturated(deployment, newest)) return activeOld.map((replicaSet) => ({ replicaSet, replicas: 0 }));
  return isRollingUpdate(deployment) ? planProportionally(deployment, active) : [];
}

function planProportionally(deployment: Deployment, active: ReplicaSet[]): ScaleStep[] {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0;
  const toAdd = allowed - sum(active, replicasOf);
  const newerFirst = toAdd > 0 ? 1 : -1;
  const ordered = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || newerFirst * (createdAt(a) < createdAt(b) ? 1 : -1),
  );
  let added = 0;
  const steps = ordered.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : proportion(deployment, replicaSet, toAdd - added);
    added += share;
    return { replicaSet, replicas: replicasOf(replicaSet) + share };
  });
  // What rounding left over goes to the largest.
  const largest = steps[0];
  if (largest) largest.replicas = Math.max(0, largest.replicas + toAdd - added);
  return steps;
}

function proportion(deployment: Deployment, replicaSet: ReplicaSet, rest: number): number {
  const size = replicasOf(replicaSet);
  if (rest === 0) return 0;
  const share = fraction(deployment, replicaSet, size);
  return rest > 0 ? Math.min(share, rest) : Math.max(share, rest);
}

function fraction(deployment: Deployment, replicaSet: ReplicaSet, size: number): number {
  const wanted = replicasOf(deployment);
  if (wanted === 0) return -size;
  const annotated = Number(replicaSet.metadata.annotations?.[maxReplicasAnnotation]);
  const before = annotated || deployment.status?.replicas || size;
  return Math.round((size * (wanted + maxSurge(deployment))) / before) - size;
}

/** The new ReplicaSet has, and was meant to have, every wanted pod, and all are available. */
function isSaturated(deployment: Deployment, newest: ReplicaSet): boolean {
  const wanted = replicasOf(deployment);
  const desired = Number(newest.metadata.annotations?.[desiredReplicasAnnotation]);
  return replicasOf(newest) === wanted && desired === wanted && availableOf(newest) === wanted;
}

const availableOf = (replicaSet: ReplicaSet): number => replicaSet.status?.availableReplicas ?? 0;
const createdAt = (replicaSet: ReplicaSet): string => replicaSet.metadata.creationTimestamp ?? "";
const changed = (steps: ScaleStep[]): ScaleStep[] =>
  steps.filter((step) => step.replicas !== replicasOf(step.replicaSet));

/** By creation, then by name. */
export function oldestFirst(replicaSets: ReplicaSet[]): ReplicaSet[] {
  const order = (replicaSet: ReplicaSet): string => `${createdAt(replicaSet)} ${replicaSet.metadata.name}`;
  return replicaSets.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

export function sum<T>(items: T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
