// What a Job's next step is: its status, the pods to make, to delete and to let go. Pure, after kube-controller-manager's
// job package; pods are counted exactly once with the help of a finalizer (KEP-2307).

import { timestamp } from "@gatehouse/apimachinery/meta";
import {
  completionIndexKey,
  type Job,
  type JobCondition,
  type JobStatus,
  jobTrackingFinalizer,
} from "@gatehouse/apimachinery/types/batch-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { formatIndexes, parseIndexes } from "./index-ranges.ts";
import { judgePod, pauseAfterFailures, restartsExceed, type Verdict } from "./job-failure.ts";
import { isActive, isReady, isTerminal, isTerminating } from "./pod-state.ts";
import { compareForDeletion } from "./replica-set-plan.ts";

export interface JobPlan {
  status: JobStatus;
  /** Pods that are counted (or never will be): their finalizer goes once the status is written. */
  release: Pod[];
  /** Pods to delete; those also in `release` do not count. */
  delete: Pod[];
  /** One entry for each pod to make: its index, or undefined where pods have none. */
  create: (number | undefined)[];
  /** Milliseconds after which time alone changes something. */
  next?: number;
}

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(jobTrackingFinalizer) ?? false;

export function jobCondition(job: Job, type: JobCondition["type"]): JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
}

/** The condition that ended the Job, if it has ended. */
export const endOfJob = (job: Job): JobCondition | undefined =>
  jobCondition(job, "Complete") ?? jobCondition(job, "Failed");

const indexOf = (pod: Pod): number => Number(pod.metadata.annotations?.[completionIndexKey] ?? -1);

/** Counts of one pass. */
interface Tally {
  /** Counted and still uncounted ones together. */
  succeeded: number;
  failed: number;
  /** Completed indexes; empty without indexes. */
  indexes: Set<number>;
  uncounted: { succeeded: string[]; failed: string[] };
  release: Pod[];
  /** What podFailurePolicy ends the Job with. */
  verdict?: Verdict;
}

/** One pass over the pods the Job owns; `now` in milliseconds. */
export function planJob(job: Job, pods: Pod[], now: number = Date.now()): JobPlan {
  const ended = endOfJob(job);
  if (ended || job.metadata.deletionTimestamp) {
    return { status: job.status ?? {}, release: pods.filter(isTracked), delete: [], create: [] };
  }
  const tally = countPods(job, pods);
  const active = pods.filter(isActive);
  const started = withStart(job, now);
  const conditions = conditionsOf(job, started, tally, active, now);
  const plan: JobPlan = { status: {}, release: tally.release, delete: [], create: [] };
  const holds = (type: JobCondition["type"]): boolean =>
    conditions.some((condition) => condition.type === type && condition.status === "True");
  if (holds("FailureTarget")) plan.delete = active;
  else if (holds("SuccessCriteriaMet") || job.spec.suspend) letGo(plan, active);
  else manage(job, pods, active, tally, plan, now);
  const deadline = job.spec.activeDeadlineSeconds;
  if (deadline !== undefined && started && !holds("FailureTarget")) {
    plan.next = Math.min(plan.next ?? Infinity, Math.max(0, Date.parse(started) + deadline * 1000 - now));
  }
  plan.status = statusOf(job, pods, tally, started, conditions, now);
  return plan;
}

function countPods(job: Job, pods: Pod[]): Tally {
  const { uncountedTerminatedPods = {}, completedIndexes, succeeded = 0, failed = 0 } = job.status ?? {};
  const indexed = job.spec.completionMode === "Indexed";
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid ?? "", pod]));
  const before = { succeeded: uncountedTerminatedPods.succeeded ?? [], failed: uncountedTerminatedPods.failed ?? [] };
  const tally: Tally = {
    succeeded: succeeded + before.succeeded.length,
    failed: failed + before.failed.length,
    indexes: parseIndexes(indexed ? completedIndexes : ""),
    // Those that were let go are in the counts from now on.
    uncounted: {
      succeeded: before.succeeded.filter((uid) => tracked.has(uid)),
      failed: before.failed.filter((uid) => tracked.has(uid)),
    },
    release: [],
  };
  for (const [uid, pod] of tracked) {
    if (!hasEnded(job, pod)) continue;
    tally.release.push(pod);
    if (before.succeeded.includes(uid) || before.failed.includes(uid)) continue;
    if (pod.status?.phase === "Succeeded") countSuccess(tally, indexed, pod, uid, job.spec.completions ?? Infinity);
    else countFailure(job, tally, pod, uid);
  }
  if (indexed) tally.succeeded = tally.indexes.size;
  return tally;
}

function countSuccess(tally: Tally, indexed: boolean, pod: Pod, uid: string, completions: number): void {
  if (indexed) {
    const index = indexOf(pod);
    if (index >= 0 && index < completions) tally.indexes.add(index);
    return;
  }
  tally.uncounted.succeeded.push(uid);
  tally.succeeded++;
}

function countFailure(job: Job, tally: Tally, pod: Pod, uid: string): void {
  const { action, message } = judgePod(job, pod);
  if (action === "FailJob") tally.verdict ??= { reason: "PodFailurePolicy", message };
  if (action === "Ignore") return;
  tally.uncounted.failed.push(uid);
  tally.failed++;
}

/** Pods that are being deleted count as failed at once, unless the Job waits for them (KEP-3939). */
function hasEnded(job: Job, pod: Pod): boolean {
  if (isTerminal(pod)) return true;
  if (!isTerminating(pod)) return false;
  return job.spec.podReplacementPolicy !== "Failed" || pod.metadata.deletionGracePeriodSeconds === 0;
}

/** When the Job started: with its first pass, and anew when it is resumed. */
function withStart({ spec, status }: Job, now: number): string | undefined {
  if (spec.suspend) return undefined;
  return status?.startTime ?? timestamp(new Date(now));
}

function conditionsOf(job: Job, started: string | undefined, tally: Tally, active: Pod[], now: number): JobCondition[] {
  let conditions = job.status?.conditions ?? [];
  const time = timestamp(new Date(now));
  const set = (type: JobCondition["type"], status: "True" | "False", { reason, message }: Verdict): void => {
    const present = conditions.find((condition) => condition.type === type);
    if (present?.status === status || (!present && status === "False")) return;
    const next = { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time };
    conditions = [...conditions.filter((condition) => condition !== present), next];
  };
  const decided = ["FailureTarget", "SuccessCriteriaMet"].find((type) => conditions.some((one) => one.type === type));
  if (!decided) {
    const failure = failureOf(job, started, tally, active, now);
    if (failure) set("FailureTarget", "True", failure);
    else if (isComplete(job, tally, active)) set("SuccessCriteriaMet", "True", completed);
    else if (job.spec.suspend) set("Suspended", "True", { reason: "JobSuspended", message: "Job suspended" });
    else set("Suspended", "False", { reason: "JobResumed", message: "Job resumed" });
  }
  return conditions;
}

const completed: Verdict = { reason: "CompletionsReached", message: "Reached expected number of succeeded pods" };

function failureOf(
  job: Job,
  started: string | undefined,
  tally: Tally,
  active: Pod[],
  now: number,
): Verdict | undefined {
  const { backoffLimit = 6, activeDeadlineSeconds } = job.spec;
  if (tally.verdict) return tally.verdict;
  if (tally.failed > backoffLimit || restartsExceed(job, active)) {
    return { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  }
  if (activeDeadlineSeconds === undefined || !started) return undefined;
  if (now - Date.parse(started) < activeDeadlineSeconds * 1000) return undefined;
  return { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
}

function isComplete({ spec }: Job, { succeeded }: Tally, active: Pod[]): boolean {
  if (spec.suspend) return false;
  return spec.completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= spec.completions;
}

/** Pods that are no longer wanted: they go uncounted. */
function letGo(plan: JobPlan, pods: Pod[]): void {
  plan.delete.push(...pods);
  plan.release.push(...pods.filter(isTracked));
}

function manage(job: Job, pods: Pod[], active: Pod[], tally: Tally, plan: JobPlan, now: number): void {
  const { parallelism = 1, completions, completionMode, podReplacementPolicy } = job.spec;
  const missing = completions === undefined ? undefined : Math.max(0, completions - tally.succeeded);
  // Without completions the first success ends the making of pods.
  const wanted =
    missing === undefined ? (tally.succeeded > 0 ? active.length : parallelism) : Math.min(parallelism, missing);
  const indexed = completionMode === "Indexed";
  const kept = indexed ? distinct(active, tally.indexes, completions ?? 0) : active;
  const surplus = kept.toSorted(compareForDeletion).slice(0, Math.max(0, kept.length - wanted));
  letGo(plan, [...active.filter((pod) => !kept.includes(pod)), ...surplus]);
  const waitedFor = pods.filter((pod) => podReplacementPolicy === "Failed" && isTerminating(pod) && !isTerminal(pod));
  const count = Math.max(0, wanted - kept.length - waitedFor.length);
  if (count === 0) return;
  const pause = pauseAfterFailures(pods, now);
  if (pause > 0) {
    plan.next = pause;
    return;
  }
  if (!indexed) plan.create = Array.from({ length: count }, () => undefined);
  else plan.create = freeIndexes(count, completions ?? 0, tally.indexes, [...kept, ...waitedFor]);
}

/** One pod for each index that is still wanted: the oldest. */
function distinct(active: Pod[], done: Set<number>, completions: number): Pod[] {
  const byIndex = new Map<number, Pod>();
  const oldestFirst = active.toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? -1 : 1,
  );
  for (const pod of oldestFirst) {
    const index = indexOf(pod);
    if (index >= 0 && index < completions && !done.has(index) && !byIndex.has(index)) byIndex.set(index, pod);
  }
  return [...byIndex.values()];
}

function freeIndexes(count: number, completions: number, done: Set<number>, pods: Pod[]): number[] {
  const taken = new Set(pods.map(indexOf));
  const free: number[] = [];
  for (let index = 0; index < completions && free.length < count; index++) {
    if (!done.has(index) && !taken.has(index)) free.push(index);
  }
  return free;
}

function statusOf(
  job: Job,
  pods: Pod[],
  tally: Tally,
  started: string | undefined,
  conditions: JobCondition[],
  now: number,
): JobStatus {
  const { uncounted, indexes } = tally;
  const active = pods.filter(isActive);
  const terminating = pods.filter((pod) => isTerminating(pod) && !isTerminal(pod)).length;
  const indexed = job.spec.completionMode === "Indexed";
  const succeeded = tally.succeeded - (indexed ? 0 : uncounted.succeeded.length);
  const failed = tally.failed - uncounted.failed.length;
  const settled = active.length + terminating + uncounted.succeeded.length + uncounted.failed.length === 0;
  const end = settled ? endConditions(conditions, timestamp(new Date(now))) : [];
  const isDone = end.some(({ type }) => type === "Complete");
  return {
    ...(conditions.length + end.length > 0 ? { conditions: [...conditions, ...end] } : {}),
    ...(started ? { startTime: started } : {}),
    ...(isDone ? { completionTime: timestamp(new Date(now)) } : {}),
    ...(active.length > 0 ? { active: active.length } : {}),
    ...(succeeded > 0 ? { succeeded } : {}),
    ...(failed > 0 ? { failed } : {}),
    ...(indexed && indexes.size > 0 ? { completedIndexes: formatIndexes(indexes) } : {}),
    ready: active.filter(isReady).length,
    terminating,
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length > 0 ? { succeeded: uncounted.succeeded } : {}),
      ...(uncounted.failed.length > 0 ? { failed: uncounted.failed } : {}),
    },
  };
}

/** Once nothing runs any more, the decision becomes the end. */
function endConditions(conditions: JobCondition[], time: string): JobCondition[] {
  const decision = conditions.find(({ type }) => type === "FailureTarget" || type === "SuccessCriteriaMet");
  if (!decision) return [];
  const type = decision.type === "FailureTarget" ? "Failed" : "Complete";
  return [{ ...decision, type, lastProbeTime: time, lastTransitionTime: time }];
}
