// Rules of a Job's podFailurePolicy (KEP-3329; pkg/apis/batch/validation validatePodFailurePolicy).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { JobSpec, PodFailurePolicyRule } from "@gatehouse/apimachinery/types/batch-v1";
import { duplicate, invalidValue, notSupported, required, tooMany } from "../schema/field-cause.ts";
import { nameCauses, qualifiedNameFaults } from "./names.ts";

const maxRules = 20;
const maxValues = 255;

/** Causes for the policy of `spec`, which has one, at `path`. */
export function failurePolicyCauses(spec: JobSpec, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const { restartPolicy } = spec.template.spec;
  const field = `${path}.podFailurePolicy`;
  if (restartPolicy !== "Never") {
    const detail = 'only "Never" is supported when podFailurePolicy is specified';
    causes.push(invalidValue(`${path}.template.spec.restartPolicy`, restartPolicy, detail));
  }
  if (spec.podReplacementPolicy !== "Failed") {
    causes.push(notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, ["Failed"]));
  }
  const { rules = [] } = spec.podFailurePolicy ?? {};
  if (rules.length > maxRules) causes.push(tooMany(`${field}.rules`, rules.length, maxRules));
  const names = new Set(
    [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers].map(({ name }) => name),
  );
  for (const [index, rule] of rules.entries()) causes.push(...ruleCauses(rule, names, `${field}.rules[${index}]`));
  return causes;
}

function ruleCauses(rule: PodFailurePolicyRule, containers: Set<string>, field: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!["Count", "FailJob", "Ignore"].includes(rule.action)) {
    causes.push(
      rule.action
        ? notSupported(`${field}.action`, rule.action, ["Count", "FailJob", "Ignore"])
        : required(`${field}.action`, 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'),
    );
  }
  const { onExitCodes, onPodConditions = [] } = rule;
  if (onExitCodes && onPodConditions.length > 0) {
    causes.push(invalidValue(field, rule, "specifying both OnExitCodes and OnPodConditions is not supported"));
  } else if (!onExitCodes && onPodConditions.length === 0) {
    causes.push(invalidValue(field, rule, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  if (onExitCodes) causes.push(...exitCodeCauses(onExitCodes, containers, `${field}.onExitCodes`));
  for (const [index, { type, status }] of onPodConditions.entries()) {
    const at = `${field}.onPodConditions[${index}]`;
    causes.push(...nameCauses(`${at}.type`, type, qualifiedNameFaults));
    const states = ["False", "True", "Unknown"];
    if (!states.includes(status ?? "")) causes.push(notSupported(`${at}.status`, status, states));
  }
  return causes;
}

function exitCodeCauses(
  { operator, values, containerName }: NonNullable<PodFailurePolicyRule["onExitCodes"]>,
  containers: Set<string>,
  field: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!["In", "NotIn"].includes(operator)) causes.push(notSupported(`${field}.operator`, operator, ["In", "NotIn"]));
  if (containerName && !containers.has(containerName)) {
    causes.push(
      invalidValue(
        `${field}.containerName`,
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    );
  }
  if (values.length === 0) causes.push(invalidValue(`${field}.values`, values, "at least one value is required"));
  if (values.length > maxValues) causes.push(tooMany(`${field}.values`, values.length, maxValues));
  for (const [index, value] of values.entries()) {
    const at = `${field}.values[${index}]`;
    if (operator === "In" && value === 0) causes.push(invalidValue(at, 0, "must not be 0 for the In operator"));
    if (values.indexOf(value) !== index) causes.push(duplicate(at, value));
    if (index > 0 && value < (values[index - 1] ?? 0)) {
      causes.push(invalidValue(`${field}.values`, values, "must be ordered"));
    }
  }
  return causes;
}
