// Write rules of Jobs, and of the Jobs in CronJobs (pkg/apis/batch/validation, pkg/registry/batch/job).

import { isDeepStrictEqual } from "node:util";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { type Job, jobControllerUidLabel, jobNameLabel, type JobSpec } from "@gatehouse/apimachinery/types/batch-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, nonNegative, notSupported, required } from "../schema/field-cause.ts";
import { failurePolicyCauses } from "./pod-failure-policy.ts";
import { defaultPodSpec, noPodSpec, validatePodSpec } from "./pod-spec.ts";
import { selectorCauses } from "./selector.ts";

export const jobStrategy: WriteStrategy = {
  complete: (object) => {
    if (object.spec) defaultJobSpec((object as Job).spec);
  },
  prepareForCreate: (object) => {
    const job = object as Job;
    object.status = {};
    if (!(job as Partial<Job>).spec) return;
    if (!job.spec.manualSelector) selectOwnPods(job);
    const labels = job.spec.template?.metadata?.labels;
    if (labels && !job.metadata.labels) job.metadata.labels = { ...labels };
  },
  validate: (object, old) => {
    const { spec } = object as Partial<Job>;
    if (!spec) return [required("spec.template")];
    const causes = [
      ...nameCauses(object as Job),
      ...validateJobSpec(spec, "spec"),
      ...ownSelectorCauses(object as Job),
    ];
    return old ? [...causes, ...changeCauses(spec, (old as Job).spec)] : causes;
  },
};

/** Completes the spec of a Job, or of a CronJob's Jobs, in place. */
export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= 6;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  if (!spec.template) return;
  spec.template.spec ??= noPodSpec();
  defaultPodSpec(spec.template.spec);
}

/** Labels that no other Job's pods have. */
function selectOwnPods({ metadata, spec }: Job): void {
  const uid = metadata.uid ?? "";
  spec.selector ??= { matchLabels: { [jobControllerUidLabel]: uid } };
  if (!spec.template) return;
  const legacy = { "controller-uid": uid, "job-name": metadata.name };
  const labels = { [jobControllerUidLabel]: uid, [jobNameLabel]: metadata.name, ...legacy };
  spec.template.metadata = { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...labels } };
}

/** Pods of an Indexed Job have host names of Job and index. */
function nameCauses({ metadata, spec }: Job): StatusCause[] {
  if (spec.completionMode !== "Indexed" || !spec.completions) return [];
  const longest = `${metadata.name}-${spec.completions - 1}`;
  if (longest.length <= 63 && !longest.includes(".")) return [];
  const why = longest.includes(".")
    ? "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    : "must be no more than 63 characters";
  const detail = `will not able to create pod with invalid DNS label: ${longest}: ${why}`;
  return [invalidValue("metadata.name", metadata.name, detail)];
}

/** Causes for the spec at `path`, as Jobs and the templates of CronJobs share them. */
export function validateJobSpec(spec: JobSpec, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const numbers = ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"];
  for (const name of numbers as ("parallelism" | "completions")[]) {
    causes.push(...nonNegative(`${path}.${name}`, spec[name]));
  }
  causes.push(...modeCauses(spec, path), ...unsupportedCauses(spec, path));
  if (!["TerminatingOrFailed", "Failed"].includes(spec.podReplacementPolicy ?? "")) {
    const supported = ["Failed", "TerminatingOrFailed"];
    causes.push(notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, supported));
  }
  if (!spec.template) return [...causes, required(`${path}.template`)];
  causes.push(...validatePodSpec(spec.template.spec, `${path}.template.spec`));
  const { restartPolicy } = spec.template.spec;
  if (restartPolicy === undefined || restartPolicy === "Always") {
    causes.push(required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  }
  if (spec.podFailurePolicy) causes.push(...failurePolicyCauses(spec, path));
  return causes;
}

function modeCauses(
  { completionMode = "NonIndexed", completions, parallelism = 0 }: JobSpec,
  path: string,
): StatusCause[] {
  if (completionMode === "NonIndexed") return [];
  if (completionMode !== "Indexed") {
    return [notSupported(`${path}.completionMode`, completionMode, ["Indexed", "NonIndexed"])];
  }
  if (completions === undefined) return [required(`${path}.completions`, "when completion mode is Indexed")];
  const limit = 100_000;
  return parallelism > limit
    ? [
        invalidValue(
          `${path}.parallelism`,
          parallelism,
          `must be less than or equal to ${limit} when completion mode is Indexed`,
        ),
      ]
    : [];
}

/** What is part of the API and is not done here. */
function unsupportedCauses(spec: object, path: string): StatusCause[] {
  return ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"]
    .filter((name) => Object.hasOwn(spec, name))
    .map((name) => forbiddenField(`${path}.${name}`, "this cluster does not support it; leave it out"));
}

function ownSelectorCauses({ metadata, spec }: Job): StatusCause[] {
  const { selector, manualSelector } = spec;
  if (!selector) return [required("spec.selector")];
  const causes = selectorCauses(selector, "spec.selector");
  if (causes.length > 0 || !spec.template) return causes;
  const labels = spec.template.metadata?.labels ?? {};
  if (!matchesLabels(requirementsOf(selector), labels)) {
    causes.push(invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
  if (
    !manualSelector &&
    !matchesLabels(requirementsOf(selector), { ...labels, [jobControllerUidLabel]: metadata.uid ?? "" })
  ) {
    causes.push(invalidValue("spec.selector", selector, "`selector` not auto-generated"));
  }
  return causes;
}

function changeCauses(spec: JobSpec, old: JobSpec): StatusCause[] {
  const causes = completionsCauses(spec, old);
  for (const name of ["selector", "template", "completionMode", "podFailurePolicy"] as const) {
    if (!isDeepStrictEqual(spec[name], old[name]))
      causes.push(invalidValue(`spec.${name}`, spec[name], "field is immutable"));
  }
  if (spec.managedBy !== old.managedBy)
    causes.push(invalidValue("spec.managedBy", spec.managedBy, "field is immutable"));
  return causes;
}

/** An Indexed Job may grow and shrink as a whole (KEP-3715). */
function completionsCauses(spec: JobSpec, old: JobSpec): StatusCause[] {
  if (spec.completions === old.completions) return [];
  const field = "spec.completions";
  if (spec.completionMode !== "Indexed") return [invalidValue(field, spec.completions, "field is immutable")];
  return spec.completions === spec.parallelism
    ? []
    : [invalidValue(field, spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** Job specs of templates have no selector: it is made with the Job. */
export function templateSelectorCauses(spec: JobSpec, path: string): StatusCause[] {
  const causes = spec.selector
    ? [invalidValue(`${path}.selector`, spec.selector, "`selector` will be auto-generated")]
    : [];
  if (spec.manualSelector) causes.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  return causes;
}
