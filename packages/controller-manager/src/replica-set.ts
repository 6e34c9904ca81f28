// The ReplicaSet controller: keeps as many pods of each ReplicaSet running as it wants.

import { objectKey } from "@gatehouse/apimachinery/meta";
import { type ReplicaSet, replicaSets } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { claimOf, settleClaim } from "./claim.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { queueOwners } from "./owner-events.ts";
import { createPods, deletePods, messageOf, podFromTemplate } from "./pod-control.ts";
import { availableAfter, isActive } from "./pod-state.ts";
import { planReplicas, replicaSetStatus, replicasOf } from "./replica-set-plan.ts";
import { statusDiffers } from "./canonical-json.ts";

const component = "replicaset-controller";

export function startReplicaSetController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue(component, context, async (key) => {
    const replicaSet = view.replicaSets.get(key);
    if (!replicaSet) return;
    const next = await reconcile(context, replicaSet);
    if (next !== undefined) queue.addAfter(key, next);
  });

  const subscriptions = [
    view.replicaSets.onChange(({ current }) => current && queue.add(objectKey(current))),
    queueOwners(view.pods, view.replicaSets, queue),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

/** One pass. Returns after how many milliseconds the next pod becomes available by time alone, if one does. */
async function reconcile(context: ControllerContext, replicaSet: ReplicaSet): Promise<number | undefined> {
  const { client, view } = context;
  const { spec, metadata } = replicaSet;
  const candidates = view.pods.inNamespace(metadata.namespace ?? "").filter(isActive);
  const claim = claimOf(replicaSet, spec.selector, candidates);
  const active = await settleClaim(client, view.pods, replicaSet, replicaSets, claim);

  const outcome = metadata.deletionTimestamp ? {} : await manageReplicas(context, replicaSet, active);
  // Pods that came or went bring this ReplicaSet back at once: its status is written then, with the pods counted.
  if (outcome.changed && outcome.error === undefined) return undefined;

  const failure = outcome.error === undefined ? undefined : failureOf(replicaSet, active, outcome.error);
  const status = replicaSetStatus(replicaSet, active, failure);
  if (statusDiffers(replicaSet.status, status)) {
    view.replicaSets.wrote(await client.updateStatus(replicaSets, { ...replicaSet, status }));
  }
  if (outcome.error !== undefined) throw outcome.error;
  const waits = active.map((pod) => availableAfter(pod, spec.minReadySeconds ?? 0) ?? 0).filter((wait) => wait > 0);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}

async function manageReplicas(
  context: ControllerContext,
  replicaSet: ReplicaSet,
  active: Pod[],
): Promise<{ changed?: boolean; error?: unknown }> {
  const plan = planReplicas(replicaSet, active);
  try {
    const wanted = Array.from({ length: plan.create }, () => podFromTemplate(replicaSet, replicaSet.spec.template));
    await createPods(context, component, replicaSet, wanted);
    await deletePods(context, component, replicaSet, plan.delete);
    return { changed: plan.create > 0 || plan.delete.length > 0 };
  } catch (error) {
    return { error };
  }
}

function failureOf(replicaSet: ReplicaSet, active: Pod[], error: unknown) {
  const reason = active.length < replicasOf(replicaSet) ? ("FailedCreate" as const) : ("FailedDelete" as const);
  return { reason, message: messageOf(error) };
}
