// Which daemon pods are to be created and deleted, and a DaemonSet's status. Pure, after kube-controller-manager's
// daemon package.

import type { DaemonSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { Node, Pod, PodSpec } from "@gatehouse/apimachinery/types/core-v1";
import { revisionHashLabel } from "./controller-revisions.ts";
import { isAvailable, isReady, isTerminal, isTerminating } from "./pod-state.ts";
import { resolveIntOrPercent } from "./rolling.ts";
import { matchesNode, taintsOf, type Toleration, untolerated } from "./scheduling.ts";

export interface DaemonPlan {
  /** Names of nodes that need a pod. */
  create: string[];
  delete: Pod[];
  /** The deleted pods that had failed: they are told apart in Events. */
  failed: Pod[];
}

/** What every daemon pod tolerates (KEP-548): trouble of its node is no reason to leave it. */
function daemonTolerations(spec: PodSpec): Toleration[] {
  const conditions = ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"];
  const forNetwork = spec.hostNetwork ? ["network-unavailable"] : [];
  const toleration = (condition: string, effect: string): Toleration => ({
    key: `node.kubernetes.io/${condition}`,
    operator: "Exists",
    effect,
  });
  return [
    ...["not-ready", "unreachable"].map((condition) => toleration(condition, "NoExecute")),
    ...[...conditions, ...forNetwork].map((condition) => toleration(condition, "NoSchedule")),
  ];
}

/** The template's pod spec as it is for `nodeName`: bound there by affinity, so that the scheduler's rules still hold. */
export function daemonPodSpec(template: PodSpec, nodeName: string): PodSpec {
  const wanted = (template.tolerations ?? []) as Toleration[];
  const added = daemonTolerations(template).filter(
    (toleration) =>
      !wanted.some(
        ({ key, effect, operator }) => key === toleration.key && effect === toleration.effect && operator === "Exists",
      ),
  );
  const nodeAffinity = (template.affinity?.nodeAffinity ?? {}) as Record<string, unknown>;
  return {
    ...template,
    tolerations: [...wanted, ...added] as Record<string, unknown>[],
    affinity: { ...template.affinity, nodeAffinity: { ...nodeAffinity, ...onlyNode(nodeName) } },
  };
}

/** The template's own terms were judged when the node was chosen; the name replaces them, as in Kubernetes. */
function onlyNode(name: string) {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [name] }];
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } };
}

/** The node a daemon pod is on or was made for. */
export function nodeOf(pod: Pod): string | undefined {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  const affinity = pod.spec.affinity as { nodeAffinity?: ReturnType<typeof onlyNode> } | undefined;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return terms.flatMap((term) => term.matchFields ?? []).find(({ key }) => key === "metadata.name")?.values[0];
}

/** May a pod be started there, and may one that is there stay? A NotReady node takes daemon pods. */
function nodeTakes(daemonSet: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const { spec } = daemonSet.spec.template;
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!matchesNode(spec, node)) return { run: false, stay: false };
  const tolerant = { ...spec, tolerations: [...(spec.tolerations ?? []), ...daemonTolerations(spec)] } as PodSpec;
  const taints = taintsOf(node).filter(({ key }) => key !== "node.kubernetes.io/not-ready");
  return {
    run: !untolerated(tolerant, taints, ["NoSchedule", "NoExecute"]),
    stay: !untolerated(tolerant, taints, ["NoExecute"]),
  };
}

/** One pass: first what the nodes need, then (when rolling) the next replacements. `hash` is the present revision's. */
export function planDaemonPods(daemonSet: DaemonSet, hash: string, nodes: Node[], pods: Pod[]): DaemonPlan {
  const plan: DaemonPlan = { create: [], delete: [], failed: [] };
  const byNode = podsByNode(nodes, pods);
  const known = new Set(nodes.map((node) => node.metadata.name));
  for (const node of nodes) planNode(daemonSet, hash, node, byNode.get(node.metadata.name) ?? [], plan);
  // Pods of nodes that are no more.
  plan.delete.push(...pods.filter((pod) => !known.has(nodeOf(pod) ?? "") && !isTerminating(pod)));
  if (daemonSet.spec.updateStrategy?.type !== "OnDelete") planReplacements(daemonSet, hash, nodes, byNode, plan);
  return plan;
}

function podsByNode(nodes: Node[], pods: Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>(nodes.map((node) => [node.metadata.name, []]));
  for (const pod of pods) byNode.get(nodeOf(pod) ?? "")?.push(pod);
  for (const group of byNode.values()) group.sort((a, b) => (createdAt(a) < createdAt(b) ? -1 : 1));
  return byNode;
}

const createdAt = ({ metadata }: Pod): string => `${metadata.creationTimestamp} ${metadata.name}`;

function planNode(daemonSet: DaemonSet, hash: string, node: Node, pods: Pod[], plan: DaemonPlan): void {
  const takes = nodeTakes(daemonSet, node);
  if (!takes.stay) return void plan.delete.push(...pods.filter((pod) => !isTerminating(pod)));
  if (pods.length === 0) {
    if (takes.run) plan.create.push(node.metadata.name);
    return;
  }
  // A new pod waits until the old one is really gone: it may need its ports.
  const present = pods.filter((pod) => !isTerminating(pod));
  const ended = present.filter(isTerminal);
  plan.delete.push(...ended);
  plan.failed.push(...ended.filter((pod) => pod.status?.phase === "Failed"));
  const running = present.filter((pod) => !isTerminal(pod));
  plan.delete.push(...(allowsSurge(daemonSet) ? surplusOfSurge(daemonSet, hash, running) : running.slice(1)));
}

/** Of an old and a new pod side by side the old one goes when it is not ready, or once the new one is available. */
function surplusOfSurge(daemonSet: DaemonSet, hash: string, running: Pod[]): Pod[] {
  if (running.length <= 1) return [];
  const newest = running.find((pod) => isOfRevision(pod, hash));
  const old = running.find((pod) => !isOfRevision(pod, hash));
  const surplus = running.filter((pod) => pod !== newest && pod !== old);
  if (newest && old && (!isReady(old) || available(daemonSet, newest))) surplus.push(old);
  return surplus;
}

const isOfRevision = (pod: Pod, hash: string): boolean => pod.metadata.labels?.[revisionHashLabel] === hash;
const available = (daemonSet: DaemonSet, pod: Pod): boolean => isAvailable(pod, daemonSet.spec.minReadySeconds ?? 0);

function limits(daemonSet: DaemonSet, desired: number): { surge: number; unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 1 } = daemonSet.spec.updateStrategy?.rollingUpdate ?? {};
  const surge = resolveIntOrPercent(maxSurge, desired, "up");
  const unavailable = resolveIntOrPercent(maxUnavailable, desired, "up");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function allowsSurge(daemonSet: DaemonSet): boolean {
  return daemonSet.spec.updateStrategy?.type !== "OnDelete" && limits(daemonSet, 100).surge > 0;
}

function planReplacements(
  daemonSet: DaemonSet,
  hash: string,
  nodes: Node[],
  byNode: Map<string, Pod[]>,
  plan: DaemonPlan,
): void {
  const desired = nodes.filter((node) => nodeTakes(daemonSet, node).run);
  const { surge, unavailable } = limits(daemonSet, desired.length);
  let budget = surge > 0 ? surge : unavailable;
  const healthy: { name: string; old: Pod }[] = [];
  const broken: { name: string; old: Pod }[] = [];
  for (const { metadata } of desired) {
    const present = (byNode.get(metadata.name) ?? []).filter(
      (pod) => !isTerminating(pod) && !plan.delete.includes(pod),
    );
    const old = present.find((pod) => !isOfRevision(pod, hash));
    const newest = present.find((pod) => isOfRevision(pod, hash));
    if (old && !newest) (available(daemonSet, old) ? healthy : broken).push({ name: metadata.name, old });
    else if (surge > 0 ? old && newest : !newest || !available(daemonSet, newest)) budget--;
  }
  // Pods that serve nobody are replaced at once; without surge they count as unavailable too.
  if (surge === 0) budget -= broken.length;
  const chosen = [...broken, ...healthy.slice(0, Math.max(0, budget))];
  if (surge > 0) plan.create.push(...chosen.map(({ name }) => name));
  else plan.delete.push(...chosen.map(({ old }) => old));
}

/** The status the DaemonSet should have. */
export function daemonSetStatus(
  daemonSet: DaemonSet,
  hash: string,
  nodes: Node[],
  pods: Pod[],
): NonNullable<DaemonSet["status"]> {
  const { generation } = daemonSet.metadata;
  const { collisionCount, conditions } = daemonSet.status ?? {};
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  const byNode = podsByNode(nodes, pods);
  for (const node of nodes) {
    // Of two pods side by side the older one counts: a node is updated when the old pod is gone.
    const oldest = byNode.get(node.metadata.name)?.[0];
    if (!nodeTakes(daemonSet, node).run) {
      if (oldest) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    if (!oldest) continue;
    counts.current++;
    if (isReady(oldest)) counts.ready++;
    if (available(daemonSet, oldest)) counts.available++;
    if (isOfRevision(oldest, hash)) counts.updated++;
  }
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(collisionCount ? { collisionCount } : {}),
    ...(conditions && conditions.length > 0 ? { conditions } : {}),
    desiredNumberScheduled: counts.desired,
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
  };
}
