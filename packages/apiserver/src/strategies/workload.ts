// Rules that the workloads share: the selector, the template, and how they fit together.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { PodSpec, PodTemplateSpec } from "@gatehouse/apimachinery/types/core-v1";
import { labelCauses } from "../metadata-rules.ts";
import { forbiddenField, invalidValue, nonNegative, notSupported, required } from "../schema/field-cause.ts";
import { defaultPodSpec, noPodSpec, validatePodSpec } from "./pod-spec.ts";
import { selectorCauses } from "./selector.ts";

interface Workload extends KubeObject {
  spec: {
    selector: LabelSelector;
    template: PodTemplateSpec;
    replicas?: number;
    minReadySeconds?: number;
    revisionHistoryLimit?: number;
  };
}

/** Completes the template in place. The schema lets a workload be without spec or template; `validateWorkload` does not. */
export function defaultTemplate(object: KubeObject): void {
  const { template } = (object as Partial<Workload>).spec ?? {};
  if (template) defaultPodSpec((template.spec ??= noPodSpec()));
}

/**
 * Causes for the numbers, the selector and the template of a workload whose pods run for ever, and for a selector that
 * was changed (a StatefulSet is told of that in other words).
 */
export function validateWorkload(object: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const { selector, template, replicas, minReadySeconds, revisionHistoryLimit } =
    (object as Partial<Workload>).spec ?? {};
  if (!selector) return [required("spec.selector")];
  if (!template) return [required("spec.template")];
  const labels = template.metadata?.labels ?? {};
  const causes = [
    ...nonNegative("spec.replicas", replicas),
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", revisionHistoryLimit),
  ];
  const labelFaults = [...labelCauses(labels, "spec.template.labels"), ...selectorCauses(selector, "spec.selector")];
  if (isEmptySelector(selector)) {
    // The words are those of apps/validation, where ReplicaSets speak of deployments too.
    const kind = object.kind === "ReplicaSet" ? "deployment" : object.kind.toLowerCase();
    labelFaults.push(invalidValue("spec.selector", selector, `empty selector is invalid for ${kind}`));
  }
  causes.push(...labelFaults);
  if (labelFaults.length === 0 && !matchesLabels(requirementsOf(selector), labels)) {
    causes.push(invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  if (old && object.kind !== "StatefulSet" && !isDeepStrictEqual(selector, (old as Workload).spec.selector)) {
    causes.push(invalidValue("spec.selector", selector, "field is immutable"));
  }
  causes.push(...validatePodSpec(template.spec, "spec.template.spec"));
  const { restartPolicy, activeDeadlineSeconds } = template.spec as PodSpec & { activeDeadlineSeconds?: number };
  if (restartPolicy !== "Always")
    causes.push(notSupported("spec.template.spec.restartPolicy", restartPolicy, ["Always"]));
  if (activeDeadlineSeconds !== undefined) {
    const field = "spec.template.spec.activeDeadlineSeconds";
    const ofReplicaSets = object.kind === "Deployment" || object.kind === "ReplicaSet";
    if (ofReplicaSets) causes.push(forbiddenField(field, "activeDeadlineSeconds in ReplicaSet is not Supported"));
    else causes.push(invalidValue(field, activeDeadlineSeconds, "must not be specified"));
  }
  return causes;
}

function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

/** A count or percentage as a number to compare with zero; undefined when it is neither. */
export function amountOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value : undefined;
  const percent = typeof value === "string" ? /^(\d{1,3})%$/.exec(value)?.[1] : undefined;
  return percent === undefined ? undefined : Number(percent);
}

/** What is wrong with an amount that `amountOf` cannot read. */
export const amountRule =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** Causes for a rolling update's two settings at `field`. */
export function rollingUpdateCauses(
  settings: { maxSurge?: unknown; maxUnavailable?: unknown },
  field: string,
  bothZero: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const name of ["maxSurge", "maxUnavailable"] as const) {
    if (amountOf(settings[name] ?? 0) !== undefined) continue;
    causes.push(invalidValue(`${field}.${name}`, settings[name], amountRule));
  }
  if (causes.length === 0 && amountOf(settings.maxSurge ?? 0) === 0 && amountOf(settings.maxUnavailable ?? 0) === 0) {
    causes.push(invalidValue(`${field}.maxUnavailable`, settings.maxUnavailable ?? 0, bothZero));
  }
  return causes;
}
