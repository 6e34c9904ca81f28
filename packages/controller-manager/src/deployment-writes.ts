// The writes of the Deployment controller: creating, scaling and deleting ReplicaSets, and what it says about them.

import { controllerOf, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  type Deployment,
  deployments,
  type ReplicaSet,
  replicaSets,
  type WorkloadCondition,
} from "@gatehouse/apimachinery/types/apps-v1";
import type { ControllerContext } from "./controller.ts";
import {
  hasTemplateOf,
  newReplicaSet,
  revisionAnnotation,
  sizeAnnotations,
  updatedReplicaSet,
} from "./deployment-revisions.ts";
import { countedStatus, withCondition } from "./deployment-status.ts";
import { canonical } from "./canonical-json.ts";
import { isNamespaceTerminating, messageOf } from "./pod-control.ts";
import { replicasOf } from "./replica-set-plan.ts";
import { newReplicaSetSize, type ScaleStep } from "./rolling.ts";

const component = "deployment-controller";

/** One reconciliation: what is known, replaced by the server's answers as the pass writes. */
export interface Pass {
  context: ControllerContext;
  deployment: Deployment;
  newest: ReplicaSet | undefined;
  old: ReplicaSet[];
  conditions: WorkloadCondition[];
}

/** Brings the present ReplicaSet's annotations, and the Deployment's revision, up to date. */
export async function refreshNewest(pass: Pass, newest: ReplicaSet): Promise<void> {
  const { client, view } = pass.context;
  const updated = updatedReplicaSet(pass.deployment, newest, pass.old);
  pass.newest = updated === newest ? newest : view.replicaSets.wrote(await client.update(replicaSets, updated));
  await showRevision(pass, pass.newest);
  if (!pass.conditions.some((condition) => condition.type === "Progressing")) {
    setProgressing(pass, "True", "FoundNewReplicaSet", `Found new replica set "${newest.metadata.name}"`);
  }
}

/** Creates the ReplicaSet of the present template. False when the name was taken: the next pass has another one. */
export async function createNewest(pass: Pass): Promise<boolean> {
  const { context, deployment, old } = pass;
  const wanted = newReplicaSet(deployment, old, newReplicaSetSize(deployment, old, 0));
  try {
    pass.newest = context.view.replicaSets.wrote(await context.client.create(replicaSets, wanted));
  } catch (error) {
    if (hasReason(error, "AlreadyExists")) return takeExisting(pass, wanted);
    if (isNamespaceTerminating(error)) return false;
    await reportFailedCreation(pass, wanted, error);
    throw error;
  }
  const { name } = pass.newest.metadata;
  if (replicasOf(wanted) > 0) say(pass, `Scaled up replica set ${name} from 0 to ${replicasOf(wanted)}`);
  setProgressing(pass, "True", "NewReplicaSetCreated", `Created new replica set "${name}"`);
  await showRevision(pass, pass.newest);
  return true;
}

/** A ReplicaSet of this name is there: ours and equal (not seen yet), or in the way; then the hash has to change. */
async function takeExisting(pass: Pass, wanted: ReplicaSet): Promise<boolean> {
  const { context, deployment } = pass;
  const { name, namespace } = wanted.metadata;
  const existing = await context.client.get(replicaSets, name, namespace);
  if (controllerOf(existing)?.uid === deployment.metadata.uid && hasTemplateOf(deployment, existing)) {
    pass.newest = context.view.replicaSets.wrote(existing);
    await refreshNewest(pass, existing);
    return true;
  }
  const status = { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
  context.view.deployments.wrote(await context.client.updateStatus(deployments, { ...deployment, status }));
  return false;
}

async function reportFailedCreation(pass: Pass, wanted: ReplicaSet, error: unknown): Promise<void> {
  const { context, deployment, newest, old } = pass;
  const message = `Failed to create new replica set "${wanted.metadata.name}": ${messageOf(error)}`;
  context.recorder.record(component, deployment, "Warning", "ReplicaSetCreateError", message);
  setProgressing(pass, "False", "ReplicaSetCreateError", message);
  const status = countedStatus(deployment, newest, old, pass.conditions);
  if (canonical(status) === canonical(deployment.status)) return;
  context.view.deployments.wrote(await context.client.updateStatus(deployments, { ...deployment, status }));
}

/** Scales; ReplicaSets of the right size only learn the Deployment's size. Returns how many were written. */
export async function applySteps(pass: Pass, steps: ScaleStep[]): Promise<number> {
  const { client, view } = pass.context;
  let written = 0;
  for (const { replicaSet, replicas } of steps) {
    const before = replicasOf(replicaSet);
    const annotations = { ...replicaSet.metadata.annotations, ...sizeAnnotations(pass.deployment) };
    if (before === replicas && canonical(annotations) === canonical(replicaSet.metadata.annotations)) continue;
    const scaled = await client.update(replicaSets, {
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations },
      spec: { ...replicaSet.spec, replicas },
    });
    written++;
    view.replicaSets.wrote(scaled);
    if (pass.newest === replicaSet) pass.newest = scaled;
    pass.old = pass.old.map((old) => (old === replicaSet ? scaled : old));
    if (before === replicas) continue;
    const direction = before < replicas ? "up" : "down";
    say(pass, `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${before} to ${replicas}`);
  }
  return written;
}

/** One already gone is fine. */
export async function deleteReplicaSet({ client, view }: ControllerContext, replicaSet: ReplicaSet): Promise<void> {
  const { name, namespace, uid } = replicaSet.metadata;
  try {
    await client.delete(replicaSets, name, namespace, uid ? { preconditions: { uid } } : {});
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
  view.replicaSets.deleted(replicaSet);
}

async function showRevision(pass: Pass, newest: ReplicaSet): Promise<void> {
  const { context, deployment } = pass;
  const revision = newest.metadata.annotations?.[revisionAnnotation];
  if (revision === undefined || deployment.metadata.annotations?.[revisionAnnotation] === revision) return;
  const { name, namespace = "default", uid } = deployment.metadata;
  const patch = { metadata: { uid, annotations: { [revisionAnnotation]: revision } } };
  const updated = await context.client.patch<Deployment>(deployments, { name, namespace }, "merge", patch);
  const sameSpec = updated.metadata.generation === deployment.metadata.generation;
  context.view.deployments.wrote(updated);
  // A Deployment changed meanwhile is judged by the next pass; this one's status is about what it looked at.
  pass.deployment = sameSpec ? updated : deployment;
}

function setProgressing(pass: Pass, status: "True" | "False", reason: string, message: string): void {
  if (pass.deployment.spec.progressDeadlineSeconds === undefined) return;
  pass.conditions = withCondition(pass.conditions, { type: "Progressing", status, reason, message }, timestamp());
}

const say = ({ context, deployment }: Pass, message: string): void =>
  context.recorder.record(component, deployment, "Normal", "ScalingReplicaSet", message);
