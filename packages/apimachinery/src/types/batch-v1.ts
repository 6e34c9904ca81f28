// Static types of the batch/v1 kinds that Gatehouse's own parts read or write.

import type { KubeObject, LabelSelector } from "../meta.ts";
import type { ResourceType } from "../resource-type.ts";
import type { ObjectReference, PodTemplateSpec } from "./core-v1.ts";

export interface PodFailurePolicyRule {
  action: "FailJob" | "Ignore" | "Count" | "FailIndex";
  onExitCodes?: { containerName?: string; operator: "In" | "NotIn"; values: number[] };
  onPodConditions?: { type: string; status?: string }[];
}

/** Seconds throughout. */
export interface JobSpec {
  parallelism?: number;
  completions?: number;
  completionMode?: "NonIndexed" | "Indexed";
  backoffLimit?: number;
  activeDeadlineSeconds?: number;
  ttlSecondsAfterFinished?: number;
  suspend?: boolean;
  selector?: LabelSelector;
  manualSelector?: boolean;
  podFailurePolicy?: { rules: PodFailurePolicyRule[] };
  podReplacementPolicy?: "TerminatingOrFailed" | "Failed";
  managedBy?: string;
  template: PodTemplateSpec;
}

export interface JobCondition {
  type: "Complete" | "Failed" | "Suspended" | "FailureTarget" | "SuccessCriteriaMet";
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastProbeTime?: string;
  lastTransitionTime?: string;
}

export interface JobStatus {
  conditions?: JobCondition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  ready?: number;
  terminating?: number;
  succeeded?: number;
  failed?: number;
  /** Ranges such as `0-2,5`. */
  completedIndexes?: string;
  /** UIDs of pods that have ended and are not in the counts yet (KEP-2307). */
  uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] };
}

export interface Job extends KubeObject {
  spec: JobSpec;
  status?: JobStatus;
}

export interface CronJob extends KubeObject {
  spec: {
    schedule: string;
    timeZone?: string;
    startingDeadlineSeconds?: number;
    concurrencyPolicy?: "Allow" | "Forbid" | "Replace";
    suspend?: boolean;
    jobTemplate: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: JobSpec;
    };
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
  };
  status?: { active?: ObjectReference[]; lastScheduleTime?: string; lastSuccessfulTime?: string };
}

const batch = <T extends KubeObject>(plural: string, kind: string): ResourceType<T> => ({
  group: "batch",
  version: "v1",
  plural,
  kind,
  namespaced: true,
});

export const jobs = batch<Job>("jobs", "Job");
export const cronJobs = batch<CronJob>("cronjobs", "CronJob");

/** Held by every pod of a Job until the Job has counted it (KEP-2307). */
export const jobTrackingFinalizer = "batch.kubernetes.io/job-tracking";
/** Label and annotation of the pods of an Indexed Job: which index they are for. */
export const completionIndexKey = "batch.kubernetes.io/job-completion-index";
export const jobNameLabel = "batch.kubernetes.io/job-name";
export const jobControllerUidLabel = "batch.kubernetes.io/controller-uid";
