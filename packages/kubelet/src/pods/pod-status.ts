// The status of a pod from the states of its containers: pure, following pkg/kubelet's getPhase and its conditions.

import { timestamp } from "@gatehouse/apimachinery/meta";
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "@gatehouse/apimachinery/types/core-v1";

export interface PodView {
  pod: Pod;
  /** Statuses in the order of the spec; `done` means that no restart follows. */
  init: { status: ContainerStatus; done: boolean; sidecar: boolean }[];
  apps: { status: ContainerStatus; done: boolean }[];
  /** Undefined before the pod has its address. */
  podIP: string | undefined;
  nodeIP: string;
  startTime: string;
  /** The conditions of the status before, whose transition times are kept. */
  before: PodCondition[];
  /** The pod is being deleted: it is not ready whatever its probes say. */
  terminating: boolean;
}

type Phase = NonNullable<PodStatus["phase"]>;

export function podStatus(view: PodView): PodStatus {
  const { pod, podIP, nodeIP, startTime } = view;
  const phase = podPhase(view);
  const shown = (status: ContainerStatus): ContainerStatus => (view.terminating ? { ...status, ready: false } : status);
  return {
    phase,
    conditions: conditions(view, phase),
    hostIP: nodeIP,
    hostIPs: [{ ip: nodeIP }],
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    startTime,
    qosClass: qosClass(pod),
    ...(view.init.length > 0 ? { initContainerStatuses: view.init.map(({ status }) => status) } : {}),
    containerStatuses: view.apps.map(({ status }) => shown(status)),
  };
}

function podPhase({ init, apps }: PodView): Phase {
  if (init.some(({ status, done, sidecar }) => done && !sidecar && status.state?.terminated?.exitCode !== 0))
    return "Failed";
  if (!initialized(init)) return "Pending";
  if (apps.some(({ status, done }) => !done && neverRan(status))) return "Pending";
  if (!apps.every(({ done }) => done)) return "Running";
  return apps.every(({ status }) => status.state?.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
}

function initialized(init: PodView["init"]): boolean {
  return init.every(({ status, sidecar }) => (sidecar ? status.started : status.state?.terminated?.exitCode === 0));
}

/** Waiting, and not for a restart. */
function neverRan({ state, lastState }: ContainerStatus): boolean {
  return state?.waiting !== undefined && lastState?.terminated === undefined;
}

function conditions(view: PodView, phase: Phase): PodCondition[] {
  const completed = phase === "Succeeded" || phase === "Failed";
  const unready = view.apps.filter(({ status }) => !status.ready).map(({ status }) => status.name);
  const uninitialized = view.init.filter(({ status }) => status.state?.terminated?.exitCode !== 0 && !status.started);
  const gate = missingGate(view.pod);
  const ready: Verdict = completed
    ? { status: "False", reason: phase === "Succeeded" ? "PodCompleted" : "PodFailed" }
    : view.terminating
      ? { status: "False", reason: "ContainersNotReady", message: "the pod is being deleted" }
      : unready.length > 0
        ? {
            status: "False",
            reason: "ContainersNotReady",
            message: `containers with unready status: [${unready.join(" ")}]`,
          }
        : { status: "True" };
  const incomplete = uninitialized.map(({ status }) => status.name).join(" ");
  return mergeConditions(view, {
    PodReadyToStartContainers: { status: view.podIP ? "True" : "False" },
    Initialized: initialized(view.init)
      ? { status: "True" }
      : {
          status: "False",
          reason: "ContainersNotInitialized",
          message: `containers with incomplete status: [${incomplete}]`,
        },
    Ready:
      ready.status === "True" && gate ? { status: "False", reason: "ReadinessGatesNotReady", message: gate } : ready,
    ContainersReady: ready,
    PodScheduled: { status: "True" },
  });
}

interface Verdict {
  status: "True" | "False";
  reason?: string;
  message?: string;
}

function missingGate(pod: Pod): string | undefined {
  const gates = (pod.spec as { readinessGates?: { conditionType: string }[] }).readinessGates ?? [];
  const missing = gates.find(
    ({ conditionType }) =>
      pod.status?.conditions?.find((condition) => condition.type === conditionType)?.status !== "True",
  );
  return missing && `corresponding condition of pod readiness gate "${missing.conditionType}" is not True.`;
}

/** Ours in order, transition times kept where the status did not change; other parties' conditions after them. */
function mergeConditions({ pod, before }: PodView, ours: Record<string, Verdict>): PodCondition[] {
  const merged = Object.entries(ours).map(([type, verdict]): PodCondition => {
    const old = before.find((condition) => condition.type === type);
    const since = old?.status === verdict.status ? old.lastTransitionTime : undefined;
    return { type, ...verdict, lastTransitionTime: since ?? timestamp() };
  });
  return [...merged, ...(pod.status?.conditions ?? []).filter(({ type }) => !(type in ours))];
}

/** Guaranteed, Burstable or BestEffort, by cpu and memory of every container. */
export function qosClass(pod: Pod): string {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const named = (list: Record<string, string> | undefined): boolean => Boolean(list?.cpu ?? list?.memory);
  if (!containers.some(({ resources }) => named(resources?.limits) || named(resources?.requests))) return "BestEffort";
  const guaranteed = containers.every(({ resources }) =>
    ["cpu", "memory"].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && (resources?.requests?.[name] ?? limit) === limit;
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
