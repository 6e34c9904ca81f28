// The Job controller: makes pods until enough of them have succeeded, and says in the end how it went.

import { controllerOf, type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import { generatedName } from "@gatehouse/apimachinery/names";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { completionIndexKey, type Job, jobs, jobTrackingFinalizer } from "@gatehouse/apimachinery/types/batch-v1";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { statusDiffers } from "./canonical-json.ts";
import { claimOf, settleClaim } from "./claim.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { endOfJob, isTracked, planJob } from "./job-plan.ts";
import { onOwnedChange } from "./owner-events.ts";
import { createPods, deletePods, podFromTemplate } from "./pod-control.ts";

const component = "job-controller";
const ownManager = "kubernetes.io/job-controller";

export function startJobController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue(component, context, async (key) => {
    const job = view.jobs.get(key);
    if (!job || (job.spec.managedBy && job.spec.managedBy !== ownManager)) return;
    const next = await reconcile(context, job);
    if (next !== undefined) queue.addAfter(key, next);
  });
  // Nobody counts the pods of a Job that is no more: their finalizer would hold them for ever.
  const orphans = controllerQueue(component, context, async (key) => {
    const pod = view.pods.get(key);
    if (pod && isTracked(pod) && !jobOf(context, pod)) await release(context, pod);
  });
  const enqueueFor = (pod: Pod): void => {
    const owner = controllerOf(pod);
    const job = jobOf(context, pod);
    if (job) queue.add(objectKey(job));
    else if (owner?.kind === "Job" && isTracked(pod)) orphans.add(objectKey(pod));
    else if (!owner) {
      for (const candidate of view.jobs.inNamespace(pod.metadata.namespace ?? "")) {
        if (candidate.spec.manualSelector) queue.add(objectKey(candidate));
      }
    }
  };
  const subscriptions = [
    view.jobs.onChange(({ old, current }) => {
      if (current) queue.add(objectKey(current));
      else for (const pod of view.pods.controlledBy(old?.metadata.uid ?? "")) orphans.add(objectKey(pod));
    }),
    onOwnedChange(view.pods, enqueueFor),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await Promise.all([queue.stop(), orphans.stop()]);
    },
  };
}

/** The Job that controls the pod, while it is there. */
function jobOf({ view }: ControllerContext, pod: Pod): Job | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind !== "Job") return undefined;
  const job = view.jobs.get(`${pod.metadata.namespace}/${owner.name}`);
  return job?.metadata.uid === owner.uid ? job : undefined;
}

/** One pass. Returns after how many milliseconds to look again, if time alone changes something. */
async function reconcile(context: ControllerContext, job: Job): Promise<number | undefined> {
  const { client, view } = context;
  const candidates = view.pods.inNamespace(job.metadata.namespace ?? "");
  const claim = claimOf(job, job.spec.selector ?? {}, job.spec.selector ? candidates : []);
  const owned = await settleClaim(client, view.pods, job, jobs, claim);
  const plan = planJob(job, owned);
  // What is counted has to be stored before the pods that prove it may vanish.
  const stored = statusDiffers(job.status, plan.status)
    ? view.jobs.wrote(await client.updateStatus(jobs, { ...job, status: plan.status }))
    : job;
  if (stored !== job) reportChanges(context, job, stored);
  await Promise.all(plan.release.map((pod) => release(context, pod)));
  await deletePods(context, component, job, plan.delete);
  await createPods(
    context,
    component,
    job,
    plan.create.map((index) => jobPod(job, index)),
  );
  const expiry = await expire(context, stored);
  return expiry ?? plan.next;
}

/** A pod of the Job; with an index it knows that by its host name, annotation, label and JOB_COMPLETION_INDEX. */
function jobPod(job: Job, index: number | undefined): Pod {
  const pod = podFromTemplate(job, job.spec.template);
  pod.metadata.finalizers = [jobTrackingFinalizer];
  if (index === undefined) return pod;
  const stem = `${job.metadata.name}-${index}`;
  const mark = { [completionIndexKey]: String(index) };
  pod.metadata = {
    ...pod.metadata,
    name: generatedName(`${stem}-`),
    generateName: `${stem}-`,
    labels: { ...pod.metadata.labels, ...mark },
    annotations: { ...pod.metadata.annotations, ...mark },
  };
  const fieldRef = { apiVersion: "v1", fieldPath: `metadata.annotations['${completionIndexKey}']` };
  const variable = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef } };
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const env = container.env ?? [];
    if (!env.some(({ name }) => name === variable.name)) container.env = [...env, variable];
  }
  pod.spec.hostname = stem;
  return pod;
}

async function release({ client, view }: ControllerContext, pod: Pod): Promise<void> {
  const { name, namespace = "default", uid, finalizers = [] } = pod.metadata;
  const kept = finalizers.filter((finalizer) => finalizer !== jobTrackingFinalizer);
  if (kept.length === finalizers.length) return;
  try {
    const { resourceVersion } = pod.metadata;
    const patch = { metadata: { uid, resourceVersion, finalizers: kept } };
    view.pods.wrote(await client.patch<Pod>(pods, { name, namespace }, "merge", patch));
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}

function reportChanges({ recorder }: ControllerContext, before: Job, after: Job): void {
  const known = new Set((before.status?.conditions ?? []).map(({ type, status }) => `${type} ${status}`));
  for (const { type, status, reason = "", message = "" } of after.status?.conditions ?? []) {
    if (known.has(`${type} ${status}`)) continue;
    if (type === "Complete") recorder.record(component, after, "Normal", "Completed", "Job completed");
    else if (type === "Failed") recorder.record(component, after, "Warning", reason, message);
    else if (type === "Suspended") {
      recorder.record(component, after, "Normal", status === "True" ? "Suspended" : "Resumed", message);
    }
  }
}

/** Deletes a finished Job whose time is over; returns the milliseconds until then. */
async function expire({ client }: ControllerContext, job: Job): Promise<number | undefined> {
  const { ttlSecondsAfterFinished } = job.spec;
  const end = endOfJob(job);
  if (!end || ttlSecondsAfterFinished === undefined || job.metadata.deletionTimestamp) return undefined;
  const left = Date.parse(end.lastTransitionTime ?? "") + ttlSecondsAfterFinished * 1000 - Date.now();
  if (left > 0) return left;
  await deleteJob(client, job, "Foreground");
  return undefined;
}

/** Deletes a Job with its pods; one that is gone already is fine. */
export async function deleteJob(
  client: ControllerContext["client"],
  job: KubeObject,
  propagationPolicy: "Foreground" | "Background",
): Promise<void> {
  const { name, namespace, uid } = job.metadata;
  try {
    await client.delete(jobs, name, namespace, { propagationPolicy, ...(uid ? { preconditions: { uid } } : {}) });
  } catch (error) {
    if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
  }
}
