// May a pod run on a node? Pure; the filters, their order and their words are those of kube-scheduler.

import type { Node, Pod, PodSpec } from "@gatehouse/apimachinery/types/core-v1";

export interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

interface NodeSelectorRequirement {
  key: string;
  operator: string;
  values?: string[];
}

interface NodeSelectorTerm {
  matchExpressions?: NodeSelectorRequirement[];
  matchFields?: NodeSelectorRequirement[];
}

interface NodeAffinity {
  nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] } };
}

/** Why `pod` cannot run on `node` beside `others` (the pods there that have not ended), or undefined when it can. */
export function reasonAgainst(pod: Pod, node: Node, others: Pod[]): string | undefined {
  const { spec } = pod;
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return "node(s) didn't match the requested node name";
  const taint = untolerated(spec, taintsOf(node), ["NoSchedule", "NoExecute"]);
  if (taint?.key === unschedulableTaint.key) return "node(s) were unschedulable";
  if (taint) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  if (!matchesNode(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  if (portsCollide(pod, others)) return "node(s) didn't have free ports for the requested pod ports";
  return undefined;
}

/** `0/1 nodes are available: 1 node(s) didn't ...`, with equal reasons counted together. */
export function unschedulableMessage(reasons: string[]): string {
  if (reasons.length === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${reasons.length} nodes are available: ${parts.join(", ")}.`;
}

const unschedulableTaint: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** The node's taints, with those that a cordon and missing readiness stand for (node lifecycle's taints by condition). */
export function taintsOf(node: Node): Taint[] {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready")?.status === "True";
  return [
    ...(node.spec?.unschedulable ? [unschedulableTaint] : []),
    ...(node.spec?.taints ?? []).filter((taint) => taint.key !== unschedulableTaint.key),
    ...(ready ? [] : [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]),
  ];
}

/** The first taint with one of `effects` that no toleration of the pod accepts. */
export function untolerated(spec: PodSpec, taints: Taint[], effects: string[]): Taint | undefined {
  const tolerations = (spec.tolerations ?? []) as Toleration[];
  return taints.find(
    (taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  return Boolean(toleration.key) && (toleration.value ?? "") === (taint.value ?? "");
}

/** nodeSelector and required node affinity. */
export function matchesNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const required = (spec.affinity as NodeAffinity | undefined)?.nodeAffinity
    ?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!selected || !required) return selected;
  return required.nodeSelectorTerms.some((term) => matchesTerm(term, labels, node.metadata.name));
}

/** An empty term matches no node. */
function matchesTerm(term: NodeSelectorTerm, labels: Record<string, string>, name: string): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => requirement.key === "metadata.name" && holds(requirement, name))
  );
}

function holds({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case "In":
      return actual !== undefined && values.includes(actual);
    case "NotIn":
      return actual === undefined || !values.includes(actual);
    case "Exists":
      return actual !== undefined;
    case "DoesNotExist":
      return actual === undefined;
    case "Gt":
      return Number(actual) > Number(values[0]);
    case "Lt":
      return Number(actual) < Number(values[0]);
    default:
      return false;
  }
}

/** Host ports collide when port and protocol are the same and one address covers the other. */
function portsCollide(pod: Pod, others: Pod[]): boolean {
  const wanted = hostPorts(pod.spec);
  if (wanted.length === 0) return false;
  return others.some(({ spec }) =>
    hostPorts(spec).some((taken) =>
      wanted.some(
        (port) =>
          port.port === taken.port &&
          port.protocol === taken.protocol &&
          (port.ip === taken.ip || port.ip === anyAddress || taken.ip === anyAddress),
      ),
    ),
  );
}

const anyAddress = "0.0.0.0";

/** With hostNetwork every container port is a host port, as API defaulting has it. */
function hostPorts(spec: PodSpec): { port: number; protocol: string; ip: string }[] {
  return spec.containers.flatMap((container) =>
    (container.ports ?? []).flatMap(({ containerPort, hostPort, hostIP, protocol = "TCP" }) => {
      const port = hostPort || (spec.hostNetwork ? containerPort : 0);
      return port ? [{ port, protocol, ip: hostIP || anyAddress }] : [];
    }),
  );
}
