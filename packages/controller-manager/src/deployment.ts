// The Deployment controller: one ReplicaSet per pod template, scaled so that the newest takes over from the others.

import { controllerOf, type KubeObject, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { requirementsOf } from "@gatehouse/apimachinery/selectors";
import { type Deployment, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { claimOf, settleClaim } from "./claim.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { queueOwners } from "./owner-events.ts";
import { isScaling, splitReplicaSets, surplusHistory } from "./deployment-revisions.ts";
import {
  countedStatus,
  deadlineCheckAfter,
  type DeploymentStatus,
  isComplete,
  pauseChange,
  rolloutStatus,
  withCondition,
} from "./deployment-status.ts";
import { applySteps, createNewest, deleteReplicaSet, type Pass, refreshNewest } from "./deployment-writes.ts";
import { isTerminal } from "./pod-state.ts";
import { replicasOf } from "./replica-set-plan.ts";
import { isRollingUpdate, planRollingUpdate, planScaling } from "./rolling.ts";
import { statusDiffers } from "./canonical-json.ts";

const component = "deployment-controller";

export function startDeploymentController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue(component, context, async (key) => {
    const deployment = view.deployments.get(key);
    if (!deployment) return;
    const next = await reconcile(context, deployment);
    if (next !== undefined) queue.addAfter(key, next);
  });
  const subscriptions = [
    view.deployments.onChange(({ current }) => current && queue.add(objectKey(current))),
    queueOwners(view.replicaSets, view.deployments, queue),
    view.pods.onChange(({ old, current }) => {
      // Recreate waits for the last old pod to end.
      if (!old || (current && !isTerminal(current))) return;
      const deployment = deploymentOf(context, old);
      if (deployment && !isRollingUpdate(deployment)) queue.add(objectKey(deployment));
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

function deploymentOf({ view }: ControllerContext, pod: Pod): Deployment | undefined {
  const byOwner = (object: KubeObject, kind: string): string | undefined => {
    const owner = controllerOf(object);
    return owner?.kind === kind ? `${object.metadata.namespace}/${owner.name}` : undefined;
  };
  const replicaSet = view.replicaSets.get(byOwner(pod, "ReplicaSet") ?? "");
  return replicaSet && view.deployments.get(byOwner(replicaSet, "Deployment") ?? "");
}

/** One pass. Returns after how many milliseconds to look again, if the progress deadline asks for it. */
async function reconcile(context: ControllerContext, deployment: Deployment): Promise<number | undefined> {
  const { client, view, recorder } = context;
  const { spec, metadata } = deployment;
  if (requirementsOf(spec.selector).length === 0) {
    const message = "This deployment is selecting all pods. A non-empty selector is required.";
    recorder.record(component, deployment, "Warning", "SelectingAll", message);
    return undefined;
  }
  const claim = claimOf(deployment, spec.selector, view.replicaSets.inNamespace(metadata.namespace ?? ""));
  const owned = await settleClaim(client, view.replicaSets, deployment, deployments, claim);
  const pass: Pass = {
    context,
    deployment,
    ...splitReplicaSets(deployment, owned),
    conditions: deployment.status?.conditions ?? [],
  };
  const status = metadata.deletionTimestamp ? counted(pass) : await roll(pass);
  if (!status) return undefined;
  await writeStatus(pass, status);
  return deadlineCheckAfter(pass.deployment, status);
}

/** Moves the Deployment one step. Returns the status to write, or undefined when another pass is sure to come. */
async function roll(pass: Pass): Promise<DeploymentStatus | undefined> {
  const { deployment } = pass;
  const paused = deployment.spec.paused === true;
  const change = pauseChange(deployment);
  if (change) pass.conditions = withCondition(pass.conditions, change, timestamp());
  if (pass.newest) await refreshNewest(pass, pass.newest);

  const owned = pass.newest ? [pass.newest, ...pass.old] : pass.old;
  if (paused || isScaling(deployment, owned)) {
    const scaled = await applySteps(pass, planScaling(deployment, pass.newest, pass.old));
    if (paused) await trimHistory(pass);
    if (paused || scaled > 0) return counted(pass);
  }
  if (!isRollingUpdate(deployment) && (await removeOldFirst(pass))) return rolled(pass);
  if (!pass.newest && !(await createNewest(pass))) return undefined;
  await applySteps(pass, growth(pass));
  const status = rolled(pass);
  if (isComplete(pass.deployment, status)) await trimHistory(pass);
  return status;
}

function growth({ deployment, newest, old }: Pass) {
  if (!newest) return [];
  if (isRollingUpdate(deployment)) return planRollingUpdate(deployment, newest, old);
  const replicas = replicasOf(deployment);
  return replicas === replicasOf(newest) ? [] : [{ replicaSet: newest, replicas }];
}

/** Recreate: empties the old ReplicaSets and says whether some of their pods are still there. */
async function removeOldFirst(pass: Pass): Promise<boolean> {
  const active = pass.old.filter((replicaSet) => replicasOf(replicaSet) > 0);
  if (active.length > 0) {
    await applySteps(
      pass,
      active.map((replicaSet) => ({ replicaSet, replicas: 0 })),
    );
    return true;
  }
  const { pods } = pass.context.view;
  return pass.old.some(({ metadata }) => pods.controlledBy(metadata.uid ?? "").some((pod) => !isTerminal(pod)));
}

async function trimHistory(pass: Pass): Promise<void> {
  const surplus = surplusHistory(pass.deployment, pass.old);
  await Promise.all(surplus.map((replicaSet) => deleteReplicaSet(pass.context, replicaSet)));
}

const counted = ({ deployment, newest, old, conditions }: Pass): DeploymentStatus =>
  countedStatus(deployment, newest, old, conditions);

const rolled = (pass: Pass): DeploymentStatus => rolloutStatus(pass.deployment, pass.newest, pass.old, counted(pass));

async function writeStatus({ context, deployment }: Pass, status: DeploymentStatus): Promise<void> {
  if (!statusDiffers(deployment.status, status)) return;
  context.view.deployments.wrote(await context.client.updateStatus(deployments, { ...deployment, status }));
}
