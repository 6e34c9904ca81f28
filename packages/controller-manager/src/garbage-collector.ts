// The garbage collector: deletes what has lost all its owners, and carries out foreground and orphan deletion.

import { foregroundFinalizer, orphanFinalizer, type OwnerReference } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { createKindMonitors, type KindMonitors } from "./kind-monitors.ts";
import {
  blockingDependents,
  createOwnerGraph,
  type GraphItem,
  graphItem,
  judge,
  type OwnerGraph,
  type OwnerState,
  waitsForDependents,
} from "./owner-graph.ts";

const discoveryKey = "discovery";
/** Listing every kind can wait until the cluster's first pods are on their way: nothing is lost by looking later. */
const startDelayMs = 500;
/** CustomResourceDefinitions come in bunches. */
const discoveryDelayMs = 50;
const rememberedDeletions = 2_000;

interface Collector {
  context: ControllerContext;
  graph: OwnerGraph;
  monitors: KindMonitors;
  /** Uids whose deletion was seen: no need to ask for them. */
  gone: Set<string>;
  /** Looks at the object (by uid) soon, once everything is listed. */
  enqueue: (uid: string) => void;
}

export function startGarbageCollector(context: ControllerContext): Controller {
  const graph = createOwnerGraph();
  let synced = false;
  const queue = controllerQueue("garbage-collector", context, async (key) => {
    if (key !== discoveryKey) return collect(collector, key);
    await monitors.refresh();
    synced = true;
    for (const item of graph.all()) if (needsAttention(graph, item)) queue.add(item.uid);
  });
  const monitors = createKindMonitors(context, (type, { old, current }) => {
    if (type.kind === "CustomResourceDefinition") queue.addAfter(discoveryKey, discoveryDelayMs);
    const before = old && graphItem(type, old);
    if (current) observe(collector, graphItem(type, current), before);
    else if (before) observeDeletion(collector, before);
  });
  const collector: Collector = {
    context,
    graph,
    monitors,
    gone: new Set(),
    enqueue: (uid) => {
      if (synced) queue.add(uid);
    },
  };
  queue.addAfter(discoveryKey, startDelayMs);
  return {
    stop: async () => {
      monitors.stop();
      await queue.stop();
    },
  };
}

function observe({ graph, enqueue }: Collector, item: GraphItem, before: GraphItem | undefined): void {
  if (before && before.uid !== item.uid) graph.remove(before.uid);
  graph.set(item);
  if (needsAttention(graph, item)) enqueue(item.uid);
  // An owner may have been waiting for a reference that is no longer there.
  for (const { uid } of before?.owners ?? []) enqueueIfWaiting(graph, enqueue, uid);
}

function observeDeletion({ graph, gone, enqueue }: Collector, item: GraphItem): void {
  graph.remove(item.uid);
  gone.add(item.uid);
  const oldest = gone.size > rememberedDeletions ? gone.values().next().value : undefined;
  if (oldest !== undefined) gone.delete(oldest);
  for (const dependent of graph.dependentsOf(item.uid)) enqueue(dependent.uid);
  for (const { uid } of item.owners) enqueueIfWaiting(graph, enqueue, uid);
}

function enqueueIfWaiting(graph: OwnerGraph, enqueue: (uid: string) => void, uid: string): void {
  const owner = graph.get(uid);
  if (owner && waitsForDependents(owner)) enqueue(uid);
}

/** Something may have to be done about it: it is going with a finalizer of ours, or an owner is not simply there. */
function needsAttention(graph: OwnerGraph, item: GraphItem): boolean {
  if (item.terminating)
    return item.finalizers.includes(orphanFinalizer) || item.finalizers.includes(foregroundFinalizer);
  return item.owners.some(({ uid }) => {
    const owner = graph.get(uid);
    return !owner || !mayOwn(owner, item) || waitsForDependents(owner);
  });
}

/** Owners are cluster-scoped or of the same namespace. */
const mayOwn = (owner: GraphItem, item: GraphItem): boolean =>
  owner.namespace === undefined || owner.namespace === item.namespace;

async function collect(collector: Collector, uid: string): Promise<void> {
  const { graph } = collector;
  const item = graph.get(uid);
  if (!item) return;
  if (item.terminating) {
    if (item.finalizers.includes(orphanFinalizer)) return orphanDependents(collector, item);
    if (waitsForDependents(item)) return deleteDependents(collector, item);
    return;
  }
  const states = await Promise.all(item.owners.map((owner) => ownerState(collector, item, owner)));
  const verdict = judge(item, states, graph.dependentsOf(uid).length > 0);
  if (verdict.action === "release") await patchMetadata(collector, item, { ownerReferences: verdict.owners });
  if (verdict.action === "delete") await remove(collector, item, verdict.policy);
}

/** One that was never seen is asked for: its kind may not be watched yet. */
async function ownerState(collector: Collector, item: GraphItem, owner: OwnerReference): Promise<OwnerState> {
  const { graph, gone, monitors, context } = collector;
  if (gone.has(owner.uid)) return "absent";
  const known = graph.get(owner.uid);
  if (known) {
    if (!mayOwn(known, item)) return "absent";
    return waitsForDependents(known) ? "waiting" : "present";
  }
  const type = monitors.resourceOf(owner.apiVersion, owner.kind);
  // A kind that is not served (any more) says nothing about its objects: nothing is deleted on a guess.
  if (!type || (type.namespaced && item.namespace === undefined)) return "present";
  try {
    const live = await context.client.get(type, owner.name, type.namespaced ? item.namespace : undefined);
    if (live.metadata.uid !== owner.uid) return "absent";
    return waitsForDependents(graphItem(type, live)) ? "waiting" : "present";
  } catch (error) {
    if (hasReason(error, "NotFound")) return "absent";
    throw error;
  }
}

/** Foreground deletion: `owner` goes when no dependent blocks it any more. */
async function deleteDependents(collector: Collector, owner: GraphItem): Promise<void> {
  const blocking = blockingDependents(collector.graph, owner);
  for (const dependent of blocking) if (!dependent.terminating) collector.enqueue(dependent.uid);
  if (blocking.length === 0) await removeFinalizer(collector, owner, foregroundFinalizer);
}

async function orphanDependents(collector: Collector, owner: GraphItem): Promise<void> {
  await Promise.all(
    collector.graph.dependentsOf(owner.uid).map((dependent) =>
      patchMetadata(collector, dependent, {
        ownerReferences: dependent.owners.filter(({ uid }) => uid !== owner.uid),
      }),
    ),
  );
  await removeFinalizer(collector, owner, orphanFinalizer);
}

const removeFinalizer = (collector: Collector, item: GraphItem, finalizer: string): Promise<void> =>
  patchMetadata(collector, item, { finalizers: item.finalizers.filter((name) => name !== finalizer) });

/** Fails with Conflict when the object is not as remembered. One already gone is fine. */
async function patchMetadata(
  { context }: Collector,
  { type, name, namespace, uid, resourceVersion }: GraphItem,
  change: { ownerReferences?: OwnerReference[]; finalizers?: string[] },
): Promise<void> {
  try {
    const metadata = { uid, resourceVersion, ...change };
    await context.client.patch(type, { name, ...(namespace ? { namespace } : {}) }, "merge", {
      metadata,
    });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}

async function remove(
  { context }: Collector,
  { type, name, namespace, uid, resourceVersion }: GraphItem,
  propagationPolicy: "Background" | "Foreground" | "Orphan",
): Promise<void> {
  try {
    const preconditions = { uid, ...(resourceVersion ? { resourceVersion } : {}) };
    await context.client.delete(type, name, namespace, { propagationPolicy, preconditions });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}
