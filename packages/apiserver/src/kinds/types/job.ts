// Jobs and CronJobs (batch/v1).

import { labelSelector, objectMeta } from "./meta.ts";
import { podTemplateSpec } from "./pod-spec.ts";
import { objectReference } from "./references.ts";
import { bool, field, int32, int64, listOf, setOf, str, struct, time } from "../schema-helpers.ts";

const onExitCodes = struct("batch.v1.PodFailurePolicyOnExitCodesRequirement", "Exit codes of a container.", {
  containerName: str("The container; any when absent."),
  "operator!": str("In or NotIn."),
  "values!": setOf(int32(), "The exit codes."),
});

const onPodConditions = struct("batch.v1.PodFailurePolicyOnPodConditionsPattern", "A condition of the pod.", {
  "type!": str("Its type."),
  status: str("Its status.", { default: "True" }),
});

const failureRule = struct("batch.v1.PodFailurePolicyRule", "What a kind of failure means.", {
  "action!": str("FailJob, Ignore or Count."),
  onExitCodes: field(onExitCodes, "The failures meant, by exit code."),
  onPodConditions: listOf(onPodConditions, "The failures meant, by the pod's conditions."),
});

const podFailurePolicy = struct("batch.v1.PodFailurePolicy", "What failures of pods mean.", {
  "rules!": listOf(failureRule, "The first that matches decides.", { default: [] }),
});

const successRule = struct("batch.v1.SuccessPolicyRule", "What is enough for success.", {
  succeededCount: int32(),
  succeededIndexes: str(),
});

const successPolicy = struct("batch.v1.SuccessPolicy", "When the Job has succeeded early.", {
  "rules!": listOf(successRule),
});

export const jobSpec = struct("batch.v1.JobSpec", "What a Job runs to its end.", {
  activeDeadlineSeconds: int64("Seconds the Job may take; it fails then."),
  backoffLimit: int32("Failed pods that are made up for before the Job fails; 6 unless set."),
  backoffLimitPerIndex: int32("Not supported here."),
  completionMode: str("NonIndexed, or Indexed: each pod has a number.", { default: "NonIndexed" }),
  completions: int32("How many pods have to succeed."),
  managedBy: str("The controller that carries it out, if not the built-in one."),
  manualSelector: bool("True: the selector is the writer's."),
  maxFailedIndexes: int32("Not supported here."),
  parallelism: int32("How many pods may run at once; 1 unless set."),
  podFailurePolicy: field(podFailurePolicy, "What failures of pods mean."),
  podReplacementPolicy: str("When a pod that goes is made up for: TerminatingOrFailed, or Failed."),
  selector: field(labelSelector, "Which pods belong to it; made by the server."),
  successPolicy: field(successPolicy, "Not supported here."),
  suspend: bool("True: no pods run.", { default: false }),
  "template!": field(podTemplateSpec, "The pods to make. restartPolicy is Never or OnFailure."),
  ttlSecondsAfterFinished: int32("Seconds after which the finished Job is deleted; kept when absent."),
});

const jobCondition = struct("batch.v1.JobCondition", "One aspect of a Job's state.", {
  lastProbeTime: time(),
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

const uncounted = struct("batch.v1.UncountedTerminatedPods", "Pods that have ended and are not in the counts yet.", {
  failed: setOf(str()),
  succeeded: setOf(str()),
});

export const jobStatus = struct("batch.v1.JobStatus", "How far a Job has come.", {
  active: int32("Pods that run or are about to."),
  completedIndexes: str("Indexes done, e.g. 0-2,5."),
  completionTime: time("When it succeeded."),
  conditions: listOf(jobCondition, "Aspects of its state.", {
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "type",
  }),
  failed: int32("Pods that failed."),
  failedIndexes: str(),
  ready: int32("Pods that are ready."),
  startTime: time("When it started, or was resumed."),
  succeeded: int32("Pods that succeeded."),
  terminating: int32("Pods that are being deleted."),
  uncountedTerminatedPods: field(uncounted, "Pods that have ended and are not in the counts yet."),
});

const jobTemplateSpec = struct("batch.v1.JobTemplateSpec", "The Jobs that a CronJob makes.", {
  metadata: field(objectMeta, "Labels and annotations of the Jobs."),
  spec: field(jobSpec, "What the Jobs run."),
});

export const cronJobSpec = struct("batch.v1.CronJobSpec", "Which Jobs are made, and when.", {
  concurrencyPolicy: str("Allow, Forbid or Replace: what happens while an earlier Job runs.", { default: "Allow" }),
  failedJobsHistoryLimit: int32("Failed Jobs to keep.", { default: 1 }),
  "jobTemplate!": field(jobTemplateSpec, "The Jobs to make."),
  "schedule!": str("When, in cron's five fields, or @hourly and its like."),
  startingDeadlineSeconds: int64("Seconds by which a start may be late; it is left out then."),
  successfulJobsHistoryLimit: int32("Successful Jobs to keep.", { default: 3 }),
  suspend: bool("True: no Jobs are made.", { default: false }),
  timeZone: str("IANA name of the schedule's time zone; the cluster's own when absent."),
});

export const cronJobStatus = struct("batch.v1.CronJobStatus", "What a CronJob has started.", {
  active: listOf(objectReference, "Jobs that run."),
  lastScheduleTime: time("When the last Job was due."),
  lastSuccessfulTime: time("When a Job last succeeded."),
});
