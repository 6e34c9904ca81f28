// The StatefulSet controller: pods with names that stay, made, replaced and removed in order.

import { controllerOf, objectKey } from "@gatehouse/apimachinery/meta";
import { type ControllerRevision, type StatefulSet, statefulSets } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { statusDiffers } from "./canonical-json.ts";
import { claimOf, settleClaim } from "./claim.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { queueOwners } from "./owner-events.ts";
import {
  deleteRevision,
  type RevisionedKind,
  type RevisionHistory,
  settleHistory,
  surplusRevisions,
  templateOf,
} from "./controller-revisions.ts";
import { createPods, deletePods } from "./pod-control.ts";
import { availableAfter } from "./pod-state.ts";
import {
  ordinalOf,
  planStatefulPods,
  revisionFor,
  type Revisions,
  statefulPod,
  statefulSetStatus,
} from "./stateful-set-plan.ts";

const component = "statefulset-controller";

export function startStatefulSetController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue(component, context, async (key) => {
    const set = view.statefulSets.get(key);
    if (!set) return;
    const next = await reconcile(context, set);
    if (next !== undefined) queue.addAfter(key, next);
  });
  const subscriptions = [
    view.statefulSets.onChange(({ current }) => current && queue.add(objectKey(current))),
    queueOwners(view.pods, view.statefulSets, queue),
    view.controllerRevisions.onChange(({ old }) => {
      const owner = old && controllerOf(old);
      if (owner?.kind === "StatefulSet") queue.add(`${old?.metadata.namespace}/${owner.name}`);
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

const revisionedKind = ({ view }: ControllerContext): RevisionedKind<StatefulSet> => ({
  type: statefulSets,
  view: view.statefulSets,
  hashLabel: "controller.kubernetes.io/hash",
  emptyStatus: { replicas: 0 },
});

/** One pass. Returns after how many milliseconds the next pod becomes available by time alone, if one does. */
async function reconcile(context: ControllerContext, set: StatefulSet): Promise<number | undefined> {
  const { client, view } = context;
  const { spec, metadata } = set;
  if (metadata.deletionTimestamp) return undefined;
  const kind = revisionedKind(context);
  const history = await settleHistory(context, kind, set);
  if (!history) return undefined;
  const revisions = revisionsOf(set, history);
  // A pod of another name is nobody's part of this set, whatever its labels.
  const candidates = view.pods.inNamespace(metadata.namespace ?? "").filter((pod) => ordinalOf(set, pod) !== undefined);
  const claim = claimOf(set, spec.selector, candidates);
  const pods = await settleClaim(client, view.pods, set, statefulSets, claim);

  // The status first: a step that is refused must not hide what is there.
  const status = statefulSetStatus(set, revisions, pods);
  if (statusDiffers(set.status, status)) {
    view.statefulSets.wrote(await client.updateStatus(statefulSets, { ...set, status }));
  }
  const plan = planStatefulPods(set, revisions, pods);
  await deletePods(context, component, set, plan.delete);
  const wanted = plan.create.map((ordinal) => newPod(set, history, revisions, ordinal));
  await createPods(context, component, set, wanted);

  const kept = [status.currentRevision, status.updateRevision];
  const surplus = surplusRevisions(kind, set, history.old, pods, kept);
  await Promise.all(surplus.map((revision) => deleteRevision(context, revision)));
  const waits = pods.map((pod) => availableAfter(pod, spec.minReadySeconds ?? 0) ?? 0).filter((wait) => wait > 0);
  return waits.length > 0 ? Math.min(...waits) : undefined;
}

/** A current revision that is no more (or never was) gives way to the present one. */
function revisionsOf(set: StatefulSet, { present, old }: RevisionHistory): Revisions {
  const update = present.metadata.name;
  const current = old.find(({ metadata }) => metadata.name === set.status?.currentRevision);
  return { current: current?.metadata.name ?? update, update };
}

function newPod(set: StatefulSet, { present, old }: RevisionHistory, revisions: Revisions, ordinal: number): Pod {
  const name = revisionFor(set, revisions, ordinal);
  const revision: ControllerRevision = old.find(({ metadata }) => metadata.name === name) ?? present;
  return statefulPod(set, templateOf(revision), revision.metadata.name, ordinal);
}
