// Write rules of CronJobs (pkg/apis/batch/validation ValidateCronJobSpec).

import { parseCronSchedule } from "@gatehouse/apimachinery/cron-schedule";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { CronJob } from "@gatehouse/apimachinery/types/batch-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, nonNegative, notSupported, required } from "../schema/field-cause.ts";
import { defaultJobSpec, templateSelectorCauses, validateJobSpec } from "./job.ts";

/** The suffix of a Job's name is 11 characters long, and a pod's name is a label's length. */
const maxNameLength = 52;

export const cronJobStrategy: WriteStrategy = {
  complete: (object) => complete(object as CronJob),
  prepareForCreate: (object) => {
    object.status = {};
  },
  validate: (object, old) => {
    const { spec, metadata } = object as CronJob;
    if (!spec) return [required("spec.schedule")];
    const causes: StatusCause[] = [];
    if (!old && metadata.name.length > maxNameLength) {
      causes.push(invalidValue("metadata.name", metadata.name, `must be no more than ${maxNameLength} characters`));
    }
    causes.push(...scheduleCauses(spec));
    if (!["Allow", "Forbid", "Replace"].includes(spec.concurrencyPolicy ?? "")) {
      causes.push(notSupported("spec.concurrencyPolicy", spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]));
    }
    for (const name of ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) {
      causes.push(...nonNegative(`spec.${name}`, spec[name]));
    }
    const job = spec.jobTemplate.spec;
    if (!job) return [...causes, required("spec.jobTemplate.spec.template")];
    const path = "spec.jobTemplate.spec";
    return [...causes, ...validateJobSpec(job, path), ...templateSelectorCauses(job, path)];
  },
};

function complete(cronJob: CronJob): void {
  const job = cronJob.spec?.jobTemplate?.spec;
  if (job) defaultJobSpec(job);
}

function scheduleCauses({ schedule, timeZone }: CronJob["spec"]): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!schedule) causes.push(required("spec.schedule"));
  else if (/TZ=/.test(schedule)) {
    causes.push(
      invalidValue("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    );
  } else {
    const parsed = parseCronSchedule(schedule);
    if (typeof parsed === "string") causes.push(invalidValue("spec.schedule", schedule, parsed));
  }
  if (timeZone === undefined) return causes;
  if (timeZone === "") causes.push(invalidValue("spec.timeZone", timeZone, "timeZone must be nil or non-empty string"));
  else if (!isTimeZone(timeZone)) {
    causes.push(invalidValue("spec.timeZone", timeZone, `unknown time zone ${timeZone}`));
  }
  return causes;
}

function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}
