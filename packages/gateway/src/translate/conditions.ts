// Conditions as data: what a translation step wants said, and how that is merged into the conditions an object has.

import type { Condition } from "@gatehouse/apimachinery/meta";
import type { ConditionReason, ConditionType } from "@gatehouse/gateway-api/condition-reasons";

/** Reasons for what the specification demands to be said without naming a reason. */
export type OwnReason =
  // Of a route whose backend's BackendTLSPolicy cannot be honoured (BackendRef, "invalid for the following reasons").
  | "InvalidBackendTLSPolicy"
  // Of DefaultGateway (GEP-3793).
  | "DefaultScope";

/** A condition without the parts that depend on what the object said before. */
export interface DesiredCondition {
  type: ConditionType;
  status: "True" | "False";
  reason: ConditionReason | OwnReason;
  message: string;
}

export function holds(type: ConditionType, reason: DesiredCondition["reason"], message: string): DesiredCondition {
  return { type, status: "True", reason, message };
}

export function fails(type: ConditionType, reason: DesiredCondition["reason"], message: string): DesiredCondition {
  return { type, status: "False", reason, message };
}

/** Types of ours that are absent when they do not hold, so they must be taken away again. */
const withdrawn = new Set([
  "PartiallyInvalid",
  "OverlappingTLSConfig",
  "InsecureFrontendValidationMode",
  "AttachedListenerSets",
  "DefaultGateway",
]);

/**
 * The conditions to write: ours replaced in place, those of others untouched and in order (Gateway API, notes for
 * implementors on conditions). `lastTransitionTime` moves only when the status does. A condition that was observed at a
 * newer generation than `generation` stays: our copy of the object is stale.
 */
export function mergeConditions(
  existing: readonly Condition[] | undefined,
  desired: readonly DesiredCondition[],
  generation: number | undefined,
  now: string,
): Condition[] {
  const wanted = new Map<string, DesiredCondition>(desired.map((condition) => [condition.type, condition]));
  const merged: Condition[] = [];
  for (const old of existing ?? []) {
    const condition = wanted.get(old.type);
    wanted.delete(old.type);
    if (condition) merged.push(isNewer(old, generation) ? old : render(condition, old, generation, now));
    else if (!withdrawn.has(old.type)) merged.push(old);
  }
  for (const condition of wanted.values()) merged.push(render(condition, undefined, generation, now));
  return merged;
}

const isNewer = (condition: Condition, generation: number | undefined): boolean =>
  generation !== undefined && (condition.observedGeneration ?? 0) > generation;

function render(
  { type, status, reason, message }: DesiredCondition,
  old: Condition | undefined,
  generation: number | undefined,
  now: string,
): Condition {
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: old?.status === status ? old.lastTransitionTime : now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}
