// A Deployment: how far it is, how it rolls, its pod template and the ReplicaSets it has made.

import { controllerOf, type KubeObject } from "@gatehouse/apimachinery/meta";
import { formatLabelSelector, requirementsOf } from "@gatehouse/apimachinery/selectors";
import { type Deployment, replicaSets } from "@gatehouse/apimachinery/types/apps-v1";
import { describeConditions, pairs, type Surroundings } from "./describe-parts.ts";
import type { DescribeWriter } from "./describe-writer.ts";
import { describeContainers } from "./pod.ts";

export async function describeDeployment(
  writer: DescribeWriter,
  object: KubeObject,
  around: Surroundings,
): Promise<void> {
  const deployment = object as Deployment;
  const { spec, metadata } = deployment;
  const selector = formatLabelSelector(requirementsOf(spec.selector));
  writer.line(0, "Created:", metadata.creationTimestamp ?? "<unknown>");
  writer.line(0, "Selector:", selector);
  describeProgress(writer, deployment);
  writer.line(0, "Pod Template:");
  writer.list(1, "Labels", pairs(spec.template.metadata?.labels, "="));
  writer.line(1, "Service Account:", spec.template.spec.serviceAccountName ?? "default");
  describeContainers(writer, "Init Containers", spec.template.spec.initContainers ?? [], undefined, 1);
  describeContainers(writer, "Containers", spec.template.spec.containers, undefined, 1);
  describeConditions(writer, 0, deployment.status?.conditions);
  const sets = await around.list(replicaSets, {
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    labelSelector: selector,
  });
  const ours = (sets ?? []).filter((set) => controllerOf(set)?.uid === metadata.uid);
  const live = ours.filter((set) => (set.spec.replicas ?? 0) > 0 || (set.status?.replicas ?? 0) > 0);
  writer.list(
    0,
    "ReplicaSets",
    live.map((set) => `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec.replicas ?? 1} replicas created)`),
  );
}

function describeProgress(writer: DescribeWriter, { spec, status = {} }: Deployment): void {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status;
  const counts = [
    `${spec.replicas ?? 1} desired`,
    `${updatedReplicas} updated`,
    `${replicas} total`,
    `${availableReplicas} available`,
    `${unavailableReplicas} unavailable`,
  ];
  writer.line(0, "Replicas:", counts.join(" | "));
  const { type = "RollingUpdate", rollingUpdate } = spec.strategy ?? {};
  writer.line(0, "StrategyType:", type);
  if (type === "RollingUpdate") {
    const { maxUnavailable = "25%", maxSurge = "25%" } = rollingUpdate ?? {};
    writer.line(0, "RollingUpdate:", `${maxUnavailable} max unavailable, ${maxSurge} max surge`);
  }
  if (spec.minReadySeconds) writer.line(0, "MinReadySeconds:", String(spec.minReadySeconds));
  if (spec.paused) writer.line(0, "Paused:", "true");
}
