// The CronJob controller: makes a Job for each time of the schedule, and clears finished ones away.

import { type CronSchedule, parseCronSchedule } from "@gatehouse/apimachinery/cron-schedule";
import { controllerOf, controllerReference, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type CronJob, cronJobs, type Job, jobs } from "@gatehouse/apimachinery/types/batch-v1";
import type { ObjectReference } from "@gatehouse/apimachinery/types/core-v1";
import { statusDiffers } from "./canonical-json.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { dueRun, runName, surplusJobs } from "./cron-job-plan.ts";
import { deleteJob } from "./job.ts";
import { endOfJob } from "./job-plan.ts";
import { isNamespaceTerminating, messageOf } from "./pod-control.ts";

const component = "cronjob-controller";
const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export function startCronJobController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue(component, context, async (key) => {
    const cronJob = view.cronJobs.get(key);
    if (!cronJob || cronJob.metadata.deletionTimestamp) return;
    const next = await reconcile(context, cronJob);
    if (next !== undefined) queue.addAfter(key, next);
  });
  const subscriptions = [
    view.cronJobs.onChange(({ current }) => current && queue.add(objectKey(current))),
    view.jobs.onChange(({ old, current }) => {
      const owner = controllerOf((current ?? old) as Job);
      if (owner?.kind === "CronJob") queue.add(`${(current ?? old)?.metadata.namespace}/${owner.name}`);
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

/** One pass. Returns the milliseconds until the schedule's next time. */
async function reconcile(context: ControllerContext, cronJob: CronJob): Promise<number | undefined> {
  const { client, view, recorder } = context;
  const owned = view.jobs.controlledBy(cronJob.metadata.uid ?? "");
  const surplus = surplusJobs(cronJob, owned).filter(({ metadata }) => !metadata.deletionTimestamp);
  await Promise.all(surplus.map((job) => deleteJob(client, job, "Background")));
  const current = await writeStatus(context, cronJob, withoutEnded(cronJob, owned));

  const schedule = parseCronSchedule(cronJob.spec.schedule, cronJob.spec.timeZone);
  if (typeof schedule === "string") {
    recorder.record(component, cronJob, "Warning", "UnparseableSchedule", `unparseable schedule: ${schedule}`);
    return undefined;
  }
  if (cronJob.spec.suspend) return undefined;
  const now = new Date();
  const due = dueRun(current, schedule, now);
  if (due) await startRun(context, current, owned, due);
  return untilNext(schedule, now);
}

function untilNext(schedule: CronSchedule, now: Date): number | undefined {
  const next = schedule.next(now);
  return next && next.getTime() - now.getTime();
}

/** The status once Jobs that have ended, or are gone, no longer count as active. */
function withoutEnded(cronJob: CronJob, owned: Job[]): NonNullable<CronJob["status"]> {
  const byUid = new Map(owned.map((job) => [job.metadata.uid, job]));
  const { active = [], ...rest } = cronJob.status ?? {};
  const running = active.filter(({ uid }) => {
    const job = byUid.get(uid);
    return job !== undefined && !endOfJob(job);
  });
  const successes = owned.map(({ status }) => status?.completionTime ?? "").filter((time) => time !== "");
  const lastSuccessfulTime = [...successes, rest.lastSuccessfulTime ?? ""].sort().at(-1);
  return { ...rest, active: running, ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}) };
}

async function startRun(context: ControllerContext, cronJob: CronJob, owned: Job[], due: Date): Promise<void> {
  const { client, view, recorder } = context;
  const { concurrencyPolicy } = cronJob.spec;
  const active = cronJob.status?.active ?? [];
  if (active.length > 0 && concurrencyPolicy === "Forbid") {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    recorder.record(component, cronJob, "Normal", "JobAlreadyActive", message);
    return;
  }
  const replaced = concurrencyPolicy === "Replace" ? active : [];
  const doomed = owned.filter(({ metadata }) => replaced.some(({ uid }) => uid === metadata.uid));
  await Promise.all(doomed.map((job) => deleteJob(client, job, "Background")));
  const job = await createJob(context, cronJob, due);
  if (!job) return;
  view.jobs.wrote(job);
  const { apiVersion, kind, metadata } = job;
  const { name, namespace = "default", uid = "", resourceVersion = "" } = metadata;
  const reference: ObjectReference = { apiVersion, kind, name, namespace, uid, resourceVersion };
  const running = active.filter((one) => !replaced.includes(one) && one.uid !== uid);
  await writeStatus(context, cronJob, {
    ...cronJob.status,
    active: endOfJob(job) ? running : [...running, reference],
    lastScheduleTime: timestamp(due),
  });
}

/** The Job of the run, made now or before; undefined when its name is taken by another. */
async function createJob(context: ControllerContext, cronJob: CronJob, due: Date): Promise<Job | undefined> {
  const { client, recorder } = context;
  const { metadata: template, spec } = cronJob.spec.jobTemplate;
  const { namespace = "default" } = cronJob.metadata;
  const name = runName(cronJob, due);
  const job: Job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace,
      ...(template?.labels ? { labels: template.labels } : {}),
      annotations: { ...template?.annotations, [scheduledAnnotation]: timestamp(due) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  };
  try {
    const created = await client.create(jobs, job);
    recorder.record(component, cronJob, "Normal", "SuccessfulCreate", `Created job ${name}`);
    return created;
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (!hasReason(error, "AlreadyExists")) {
      recorder.record(component, cronJob, "Warning", "FailedCreate", `Error creating job: ${messageOf(error)}`);
      throw error;
    }
  }
  const existing = await client.get(jobs, name, namespace);
  return controllerOf(existing)?.uid === cronJob.metadata.uid ? existing : undefined;
}

async function writeStatus(
  { client, view }: ControllerContext,
  cronJob: CronJob,
  status: NonNullable<CronJob["status"]>,
): Promise<CronJob> {
  if (!statusDiffers(cronJob.status, status)) return cronJob;
  return view.cronJobs.wrote(await client.updateStatus(cronJobs, { ...cronJob, status }));
}
