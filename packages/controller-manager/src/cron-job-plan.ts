// Which run of a CronJob is due, and which of its finished Jobs are too many. Pure, after pkg/controller/cronjob.

import type { CronSchedule } from "@gatehouse/apimachinery/cron-schedule";
import type { CronJob, Job } from "@gatehouse/apimachinery/types/batch-v1";
import { endOfJob } from "./job-plan.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Windows to look back over for the latest run that is due: the shortest that has one is walked. */
const windowsMs = [60 * minuteMs, dayMs, 32 * dayMs, 5 * 366 * dayMs];

/** The latest time up to `now` for which a Job should have been made and was not; undefined when none is due. */
export function dueRun(cronJob: CronJob, schedule: CronSchedule, now: Date): Date | undefined {
  const { startingDeadlineSeconds } = cronJob.spec;
  const { lastScheduleTime } = cronJob.status ?? {};
  const since = Date.parse(lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? "");
  const deadline = startingDeadlineSeconds === undefined ? -Infinity : now.getTime() - startingDeadlineSeconds * 1000;
  // A time that is just within its deadline counts, hence the step back before it.
  const earliest = Math.max(since, deadline - 1);
  for (const window of windowsMs) {
    let due = schedule.next(new Date(Math.max(earliest, now.getTime() - window)));
    if (!due || due > now) continue;
    for (let next = schedule.next(due); next && next <= now; next = schedule.next(next)) due = next;
    return due;
  }
  return undefined;
}

/** Finished Jobs beyond what the CronJob keeps of each outcome, oldest first. */
export function surplusJobs({ spec }: CronJob, jobs: Job[]): Job[] {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = spec;
  const ended = jobs.toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
  const beyond = (type: "Complete" | "Failed", limit: number): Job[] => {
    const all = ended.filter((job) => endOfJob(job)?.type === type);
    return all.slice(0, Math.max(0, all.length - limit));
  };
  return [...beyond("Complete", successfulJobsHistoryLimit), ...beyond("Failed", failedJobsHistoryLimit)];
}

const startOf = ({ status, metadata }: Job): string => status?.startTime ?? metadata.creationTimestamp ?? "";

/** The Job's name for a run: equal for equal runs, so that none is started twice. */
export function runName(cronJob: CronJob, due: Date): string {
  return `${cronJob.metadata.name}-${Math.floor(due.getTime() / minuteMs)}`;
}
