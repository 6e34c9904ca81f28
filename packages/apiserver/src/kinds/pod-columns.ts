// The columns of `kubectl get pods`: what a pod is doing, told from its containers' states (kube-apiserver's printPod).

import type { ContainerStatus, Pod } from "@gatehouse/apimachinery/types/core-v1";
import type { PrinterColumn } from "../resource-definition.ts";
import { ageColumn, column, nameColumn, since, wideColumn } from "./columns.ts";

interface Summary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  /** When a container last ended before a restart (RFC 3339). */
  lastRestart: string;
}

const terminatedAt = (status: ContainerStatus): string => status.lastState?.terminated?.finishedAt ?? "";

const later = (a: string, b: string): string => (Date.parse(b) > (Date.parse(a) || 0) ? b : a);

/** Names of the init containers that keep running beside the containers. */
function sidecarsOf(pod: Pod): Set<string> {
  const containers = (pod.spec.initContainers ?? []) as { name: string; restartPolicy?: string }[];
  return new Set(containers.filter((container) => container.restartPolicy === "Always").map(({ name }) => name));
}

function endedReason(terminated: { reason?: string; signal?: number; exitCode?: number }): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`;
}

/** Why an init container holds the pod up; undefined when it does not. */
function initReason(status: ContainerStatus, index: number, count: number, sidecar: boolean): string | undefined {
  const { terminated, waiting } = status.state ?? {};
  if (terminated && (terminated.exitCode ?? 0) === 0) return undefined;
  if (sidecar && status.started) return undefined;
  if (terminated) return `Init:${endedReason(terminated)}`;
  if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
  return `Init:${index}/${count}`;
}

/** Goes through the init containers; true when one of them still holds the pod up. */
function addInitContainers(pod: Pod, summary: Summary, sidecars: Set<string>, kept: Summary): boolean {
  const count = pod.spec.initContainers?.length ?? 0;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecars.has(status.name);
    for (const target of sidecar ? [summary, kept] : [summary]) {
      target.restarts += status.restartCount ?? 0;
      target.lastRestart = later(target.lastRestart, terminatedAt(status));
    }
    const reason = initReason(status, index, count, sidecar);
    if (reason !== undefined) {
      summary.reason = reason;
      return true;
    }
    if (sidecar && status.ready) summary.ready++;
  }
  return false;
}

function addContainers(pod: Pod, summary: Summary): void {
  let running = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    summary.restarts += status.restartCount ?? 0;
    summary.lastRestart = later(summary.lastRestart, terminatedAt(status));
    const { terminated, waiting, running: runs } = status.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = endedReason(terminated);
    else if (status.ready && runs) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.reason === "Completed" && running) {
    summary.reason = isTrue(pod, "Ready") ? "Running" : "NotReady";
  }
}

const isTrue = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;

function summarize(pod: Pod): Summary {
  const sidecars = sidecarsOf(pod);
  const { status } = pod;
  const phase = status?.phase ?? "";
  const gated = status?.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated");
  const summary: Summary = {
    ready: 0,
    total: (pod.spec.containers?.length ?? 0) + sidecars.size,
    reason: gated ? "SchedulingGated" : (status?.reason ?? "") || phase,
    restarts: 0,
    lastRestart: "",
  };
  const sidecarRestarts: Summary = { ...summary };
  const initializing = addInitContainers(pod, summary, sidecars, sidecarRestarts);
  if (!initializing || isTrue(pod, "Initialized")) {
    summary.restarts = sidecarRestarts.restarts;
    summary.lastRestart = sidecarRestarts.lastRestart;
    addContainers(pod, summary);
  }
  if (pod.metadata.deletionTimestamp) {
    if (status?.reason === "NodeLost") summary.reason = "Unknown";
    else if (phase !== "Succeeded" && phase !== "Failed") summary.reason = "Terminating";
  }
  return summary;
}

function restarts(pod: Pod): string {
  const { restarts: count, lastRestart } = summarize(pod);
  return count !== 0 && lastRestart ? `${count} (${since(lastRestart)} ago)` : String(count);
}

function readinessGates(pod: Pod): string {
  const gates = ((pod.spec as { readinessGates?: { conditionType: string }[] }).readinessGates ?? []).map(
    ({ conditionType }) => isTrue(pod, conditionType),
  );
  return gates.length > 0 ? `${gates.filter(Boolean).length}/${gates.length}` : "<none>";
}

export const podColumns: PrinterColumn[] = [
  nameColumn,
  column<Pod>("Ready", "Containers that are ready, of how many.", (pod) => {
    const { ready, total } = summarize(pod);
    return `${ready}/${total}`;
  }),
  column<Pod>("Status", "What the pod is doing.", (pod) => summarize(pod).reason),
  column<Pod>("Restarts", "How often containers were restarted, and when the last time.", restarts),
  ageColumn,
  wideColumn<Pod>("IP", "Address of the pod.", (pod) => (pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP) || "<none>"),
  wideColumn<Pod>("Node", "The node the pod runs on.", (pod) => pod.spec.nodeName || "<none>"),
  wideColumn<Pod>(
    "Nominated Node",
    "A node that is being made free for the pod.",
    (pod) => (pod.status as { nominatedNodeName?: string } | undefined)?.nominatedNodeName || "<none>",
  ),
  wideColumn<Pod>("Readiness Gates", "Extra conditions that are true, of how many.", readinessGates),
];
