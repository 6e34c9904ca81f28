// The DaemonSet controller: one pod on every node that takes it, replaced node by node when the template changes.

import { controllerOf, objectKey } from "@gatehouse/apimachinery/meta";
import { requirementsOf } from "@gatehouse/apimachinery/selectors";
import { type DaemonSet, daemonSets } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { claimOf, settleClaim } from "./claim.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { queueOwners } from "./owner-events.ts";
import {
  deleteRevision,
  type RevisionedKind,
  revisionHashLabel,
  settleHistory,
  surplusRevisions,
} from "./controller-revisions.ts";
import { daemonPodSpec, daemonSetStatus, nodeOf, planDaemonPods } from "./daemon-plan.ts";
import { canonical, statusDiffers } from "./canonical-json.ts";
import { createPods, deletePods, podFromTemplate } from "./pod-control.ts";
import { availableAfter } from "./pod-state.ts";

const component = "daemonset-controller";

/** Pods that keep failing are replaced with growing pauses, per DaemonSet and node. */
const firstBackOffMs = 1_000;
const maxBackOffMs = 15 * 60_000;

type BackOff = Map<string, { pause: number; until: number }>;

export function startDaemonSetController(context: ControllerContext): Controller {
  const { view } = context;
  const backOff: BackOff = new Map();
  const queue = controllerQueue(component, context, async (key) => {
    const daemonSet = view.daemonSets.get(key);
    if (!daemonSet) return;
    const next = await reconcile(context, backOff, daemonSet);
    if (next !== undefined) queue.addAfter(key, next);
  });
  const subscriptions = [
    view.daemonSets.onChange(({ old, current }) => queue.add(objectKey((current ?? old) as DaemonSet))),
    queueOwners(view.pods, view.daemonSets, queue),
    view.nodes.onChange(({ old, current }) => {
      if (old && current && canonical(placement(old)) === canonical(placement(current))) return;
      for (const daemonSet of view.daemonSets.all()) queue.add(objectKey(daemonSet));
    }),
    view.controllerRevisions.onChange(({ old }) => {
      const owner = old && controllerOf(old);
      if (owner?.kind === "DaemonSet") queue.add(`${old?.metadata.namespace}/${owner.name}`);
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

/** What of a node decides about daemon pods. */
const placement = ({ metadata, spec }: { metadata: { labels?: unknown }; spec?: unknown }): unknown => [
  metadata.labels,
  spec,
];

/** One pass. Returns after how many milliseconds to look again, if time alone changes something. */
async function reconcile(
  context: ControllerContext,
  backOff: BackOff,
  daemonSet: DaemonSet,
): Promise<number | undefined> {
  const { client, view } = context;
  const { spec, metadata } = daemonSet;
  if (metadata.deletionTimestamp || requirementsOf(spec.selector).length === 0) return undefined;
  const kind = revisionedKind(context);
  const history = await settleHistory(context, kind, daemonSet);
  if (!history) return undefined;
  const hash = history.present.metadata.labels?.[revisionHashLabel] ?? "";
  const claim = claimOf(daemonSet, spec.selector, view.pods.inNamespace(metadata.namespace ?? ""));
  const pods = await settleClaim(client, view.pods, daemonSet, daemonSets, claim);
  const nodes = view.nodes.all();

  const plan = planDaemonPods(daemonSet, hash, nodes, pods);
  const held = holdBack(backOff, daemonSet, plan.failed);
  const unwanted = plan.delete.filter((pod) => !held.pods.has(pod));
  const wanted = plan.create.map((nodeName) => daemonPod(daemonSet, hash, nodeName));
  for (const pod of plan.failed.filter((failed) => !held.pods.has(failed))) reportFailed(context, daemonSet, pod);
  await deletePods(context, component, daemonSet, unwanted);
  await createPods(context, component, daemonSet, wanted);
  // Pods that came or went bring this DaemonSet back at once: its status is written then.
  if (wanted.length + unwanted.length > 0) return held.next;

  const status = daemonSetStatus(daemonSet, hash, nodes, pods);
  if (statusDiffers(daemonSet.status, status)) {
    view.daemonSets.wrote(await client.updateStatus(daemonSets, { ...daemonSet, status }));
  }
  const surplus = surplusRevisions(kind, daemonSet, history.old, pods);
  await Promise.all(surplus.map((revision) => deleteRevision(context, revision)));
  const waits = pods.map((pod) => availableAfter(pod, spec.minReadySeconds ?? 0) ?? 0).filter((wait) => wait > 0);
  const next = Math.min(held.next ?? Infinity, ...waits);
  return Number.isFinite(next) ? next : undefined;
}

function revisionedKind({ view }: ControllerContext): RevisionedKind<DaemonSet> {
  const emptyStatus = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  return { type: daemonSets, view: view.daemonSets, hashLabel: revisionHashLabel, emptyStatus };
}

function daemonPod(daemonSet: DaemonSet, hash: string, nodeName: string): Pod {
  const pod = podFromTemplate(daemonSet, daemonSet.spec.template);
  const generation = daemonSet.metadata.annotations?.["deprecated.daemonset.template.generation"];
  const labels = {
    ...pod.metadata.labels,
    [revisionHashLabel]: hash,
    ...(generation ? { "pod-template-generation": generation } : {}),
  };
  return { ...pod, metadata: { ...pod.metadata, labels }, spec: daemonPodSpec(pod.spec, nodeName) };
}

/** Failed pods whose replacement has to wait, and for how many milliseconds at least. */
function holdBack(backOff: BackOff, daemonSet: DaemonSet, failed: Pod[]): { pods: Set<Pod>; next: number | undefined } {
  const now = Date.now();
  const held = new Set<Pod>();
  let next: number | undefined;
  for (const pod of failed) {
    const key = `${daemonSet.metadata.uid}/${nodeOf(pod)}`;
    const entry = backOff.get(key);
    if (entry && entry.until > now) {
      held.add(pod);
      next = Math.min(next ?? Infinity, entry.until - now);
      continue;
    }
    // Long quiet since the last failure: start over.
    const calm = !entry || now - entry.until > maxBackOffMs;
    const pause = calm ? firstBackOffMs : Math.min(entry.pause * 2, maxBackOffMs);
    backOff.set(key, { pause, until: now + pause });
  }
  return { pods: held, next };
}

function reportFailed({ recorder }: ControllerContext, daemonSet: DaemonSet, pod: Pod): void {
  const { namespace, name } = pod.metadata;
  const message = `Found failed daemon pod ${namespace}/${name} on node ${nodeOf(pod)}, will try to kill it`;
  recorder.record(component, daemonSet, "Warning", "FailedDaemonPod", message);
}
