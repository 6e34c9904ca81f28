// The kinds of batch/v1.

import { humanDuration } from "@gatehouse/apimachinery/duration";
import { type CronJob, cronJobs, type Job, jobs } from "@gatehouse/apimachinery/types/batch-v1";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { PodSpec } from "@gatehouse/apimachinery/types/core-v1";
import type { PrinterColumn, ResourceDefinition } from "../resource-definition.ts";
import { cronJobStrategy } from "../strategies/cron-job.ts";
import { jobStrategy } from "../strategies/job.ts";
import { ageColumn, column, formatSelector, nameColumn, since, wideColumn, workloadColumns } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import { cronJobSpec, cronJobStatus, jobSpec, jobStatus } from "./types/job.ts";

const batch = "batch.v1";

function jobState({ status, metadata }: Job): string {
  const holds = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
  if (holds("Complete")) return "Complete";
  if (holds("Failed")) return "Failed";
  if (metadata.deletionTimestamp) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(holds) ?? "Running";
}

function completions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration({ status }: Job): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : Date.now();
  return humanDuration(end - Date.parse(status.startTime));
}

function job(): ResourceDefinition {
  return builtIn(jobs, {
    package: batch,
    description: "Runs pods until as many as wanted have succeeded.",
    fields: { spec: jobSpec, status: jobStatus },
    categories: ["all"],
    columns: [
      nameColumn,
      column<Job>("Status", "Where it is in its life.", jobState),
      column<Job>("Completions", "Pods that succeeded, of how many.", completions),
      column<Job>("Duration", "How long it took or has been running.", jobDuration),
      ageColumn,
      ...workloadColumns,
    ],
    subresources: { status: true },
    selectableFields: { "status.successful": (object) => String((object as Job).status?.succeeded ?? 0) },
    strategy: jobStrategy,
  });
}

/** The columns of the pods that a CronJob's Jobs make. */
function podColumnsOf(podOf: (object: KubeObject) => PodSpec | undefined): PrinterColumn[] {
  const list = (cell: (container: PodSpec["containers"][number]) => string) => (object: KubeObject) =>
    (podOf(object)?.containers ?? []).map(cell).join(",");
  return [
    wideColumn(
      "Containers",
      "Names of the template's containers.",
      list(({ name }) => name),
    ),
    wideColumn(
      "Images",
      "Images of the template's containers.",
      list(({ image }) => image ?? ""),
    ),
    wideColumn("Selector", "Which pods belong to it.", (object) =>
      formatSelector((object as CronJob).spec.jobTemplate.spec.selector),
    ),
  ];
}

function cronJob(): ResourceDefinition {
  return builtIn(cronJobs, {
    package: batch,
    description: "Makes a Job whenever its schedule says so.",
    fields: { spec: cronJobSpec, status: cronJobStatus },
    shortNames: ["cj"],
    categories: ["all"],
    columns: [
      nameColumn,
      column<CronJob>("Schedule", "When, in cron's fields.", ({ spec }) => spec.schedule),
      column<CronJob>("Timezone", "Time zone of the schedule.", ({ spec }) => spec.timeZone ?? "<none>"),
      column<CronJob>("Suspend", "Whether it is paused.", ({ spec }) => (spec.suspend ? "True" : "False")),
      column<CronJob>("Active", "Jobs that run.", ({ status }) => status?.active?.length ?? 0, "integer"),
      column<CronJob>("Last Schedule", "Time since the last Job was due.", ({ status }) =>
        status?.lastScheduleTime ? since(status.lastScheduleTime) : "<none>",
      ),
      ageColumn,
      ...podColumnsOf((object) => (object as CronJob).spec.jobTemplate.spec?.template?.spec),
    ],
    subresources: { status: true },
    strategy: cronJobStrategy,
  });
}

export function batchDefinitions(): ResourceDefinition[] {
  return [job(), cronJob()];
}
