// The scheduler: binds pods to a node that takes them, and says why when there is none.

import { objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { resourcePath } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Node, type Pod, type PodCondition, pods } from "@gatehouse/apimachinery/types/core-v1";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { isTerminal, isTerminating, podCondition } from "./pod-state.ts";
import { reasonAgainst, unschedulableMessage } from "./scheduling.ts";

const component = "default-scheduler";

export function startScheduler(context: ControllerContext): Controller {
  const { view } = context;
  /** Node by pod uid: decided, but the binding is not seen yet. Ports are taken from the decision on. */
  const assumed = new Map<string, string>();
  const queue = controllerQueue(component, context, async (key) => {
    const pod = view.pods.get(key);
    if (pod && isWaiting(pod) && !assumed.has(uidOf(pod))) await schedule(context, assumed, pod);
  });
  const reconsider = (): void => {
    for (const pod of view.pods.all()) if (isWaiting(pod)) queue.add(objectKey(pod));
  };
  const subscriptions = [
    view.nodes.onChange(reconsider),
    view.pods.onChange(({ old, current }) => {
      if (!current || current.spec.nodeName) assumed.delete(uidOf(current ?? old));
      if (current && isWaiting(current)) queue.add(objectKey(current));
      // A pod that ended leaves its ports to those that wait.
      if (old && !isTerminal(old) && (!current || isTerminal(current))) reconsider();
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

/** Ours to schedule: not bound, not ending, not gated, not another scheduler's. */
function isWaiting(pod: Pod): boolean {
  const { nodeName, schedulerName = component, schedulingGates = [] } = pod.spec;
  return (
    !nodeName && schedulerName === component && schedulingGates.length === 0 && !isTerminating(pod) && !isTerminal(pod)
  );
}

const uidOf = (pod: Pod | undefined): string => pod?.metadata.uid ?? "";

/** Decides at once (so that two pods never get the same port), then writes. */
async function schedule(context: ControllerContext, assumed: Map<string, string>, pod: Pod): Promise<void> {
  const nodes = context.view.nodes.all();
  const running = context.view.pods.all().filter((other) => other !== pod && !isTerminal(other));
  const onNode = (node: Node): Pod[] =>
    running.filter((other) => (other.spec.nodeName || assumed.get(uidOf(other))) === node.metadata.name);
  const reasons: string[] = [];
  for (const node of nodes) {
    const reason = reasonAgainst(pod, node, onNode(node));
    if (reason === undefined) return bind(context, assumed, pod, node);
    reasons.push(reason);
  }
  await reportUnschedulable(context, pod, unschedulableMessage(reasons));
}

async function bind(context: ControllerContext, assumed: Map<string, string>, pod: Pod, node: Node): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  assumed.set(uidOf(pod), node.metadata.name);
  try {
    await context.client.json({
      method: "POST",
      path: resourcePath(pods, namespace, name, "binding"),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace, uid },
        target: { apiVersion: "v1", kind: "Node", name: node.metadata.name },
      }),
    });
  } catch (error) {
    assumed.delete(uidOf(pod));
    if (hasReason(error, "NotFound")) return;
    throw error;
  }
  const message = `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`;
  context.recorder.record(component, pod, "Normal", "Scheduled", message);
}

async function reportUnschedulable(
  { client, view, recorder }: ControllerContext,
  pod: Pod,
  message: string,
): Promise<void> {
  const present = podCondition(pod, "PodScheduled");
  if (present?.status === "False" && present.reason === "Unschedulable" && present.message === message) return;
  const condition: PodCondition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastTransitionTime: (present?.status === "False" && present.lastTransitionTime) || timestamp(),
  };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  recorder.record(component, pod, "Warning", "FailedScheduling", message);
  const status = { ...pod.status, conditions: [...others, condition] };
  view.pods.wrote(await client.updateStatus(pods, { ...pod, status }));
}
