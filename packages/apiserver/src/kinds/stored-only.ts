// Kinds that are kept and checked, and that nothing here acts on: charts carry them, and a Warning says so at each write
// (docs/decisions/0010-kinds.md).

import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";
import type { ResourceDefinition } from "../resource-definition.ts";
import { autoscalerStrategy, type HorizontalPodAutoscaler } from "../strategies/autoscaler.ts";
import { networkPolicyStrategy } from "../strategies/network-policy.ts";
import {
  disruptionBudgetStrategy,
  type PodDisruptionBudget,
  priorityClassStrategy,
} from "../strategies/stored-only.ts";
import { ageColumn, column, formatSelector, nameColumn } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import { bool, field, int32, int64, intOrString, listBy, mapOf, str, struct, time } from "./schema-helpers.ts";
import { autoscalerSpec, autoscalerStatus } from "./types/autoscaler.ts";
import { condition, labelSelector } from "./types/meta.ts";
import { networkPolicySpec } from "./types/network-policy.ts";

/** Targets as `cpu: <unknown>/80%`: nothing measures here. */
function targets({ spec }: HorizontalPodAutoscaler): string {
  const texts = (spec.metrics ?? []).map(({ resource, containerResource, ...others }) => {
    const source = resource ?? containerResource ?? Object.values(others).find((one) => typeof one === "object");
    const { averageUtilization, averageValue, value } = source?.target ?? {};
    const wanted = averageUtilization === undefined ? (averageValue ?? value) : `${averageUtilization}%`;
    const name = source?.name ?? source?.metric?.name;
    return `${resource || containerResource ? `${name}: ` : ""}<unknown>/${wanted}`;
  });
  const more = texts.length > 2 ? ` + ${texts.length - 2} more...` : "";
  return texts.length === 0 ? "<none>" : texts.slice(0, 2).join(", ") + more;
}

function autoscaler(): ResourceDefinition {
  const type = { group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers", namespaced: true };
  return builtIn(
    { ...type, kind: "HorizontalPodAutoscaler" },
    {
      package: "autoscaling.v2",
      description: "Asks for a workload to be scaled by what is measured. Stored only: nothing is measured here.",
      fields: { spec: autoscalerSpec, status: autoscalerStatus },
      shortNames: ["hpa"],
      categories: ["all"],
      columns: [
        nameColumn,
        column<HorizontalPodAutoscaler>("Reference", "The workload.", ({ spec }) => {
          return `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`;
        }),
        column<HorizontalPodAutoscaler>("Targets", "What is measured, and what it should be.", targets),
        column<HorizontalPodAutoscaler>("MinPods", "The fewest pods.", ({ spec }) =>
          String(spec.minReplicas ?? "<unset>"),
        ),
        column<HorizontalPodAutoscaler>("MaxPods", "The most pods.", ({ spec }) => spec.maxReplicas, "integer"),
        column<HorizontalPodAutoscaler>(
          "Replicas",
          "Pods there are.",
          ({ status }) => status?.currentReplicas ?? 0,
          "integer",
        ),
        ageColumn,
      ],
      subresources: { status: true },
      strategy: autoscalerStrategy,
    },
  );
}

const budgetSpec = struct("policy.v1.PodDisruptionBudgetSpec", "How many pods may be evicted at once.", {
  maxUnavailable: intOrString("Pods that may be missing: a count or a percentage."),
  minAvailable: intOrString("Pods that must stay: a count or a percentage."),
  selector: field(labelSelector, "The pods meant.", { "x-kubernetes-patch-strategy": "replace" }),
  unhealthyPodEvictionPolicy: str("Whether pods that are not ready may go: IfHealthyBudget or AlwaysAllow."),
});

const budgetStatus = struct("policy.v1.PodDisruptionBudgetStatus", "What the budget allows.", {
  conditions: listBy(["type"], condition),
  "currentHealthy!": int32(undefined, { default: 0 }),
  "desiredHealthy!": int32(undefined, { default: 0 }),
  disruptedPods: mapOf(time()),
  "disruptionsAllowed!": int32(undefined, { default: 0 }),
  "expectedPods!": int32(undefined, { default: 0 }),
  observedGeneration: int64(),
});

function disruptionBudget(): ResourceDefinition {
  const type = { group: "policy", version: "v1", plural: "poddisruptionbudgets", namespaced: true };
  return builtIn(
    { ...type, kind: "PodDisruptionBudget" },
    {
      package: "policy.v1",
      description: "Limits how many pods are evicted at once. Stored only: evictions here do not ask it.",
      fields: { spec: budgetSpec, status: budgetStatus },
      shortNames: ["pdb"],
      columns: [
        nameColumn,
        column<PodDisruptionBudget>("Min Available", "Pods that must stay.", ({ spec }) =>
          String(spec?.minAvailable ?? "N/A"),
        ),
        column<PodDisruptionBudget>("Max Unavailable", "Pods that may be missing.", ({ spec }) =>
          String(spec?.maxUnavailable ?? "N/A"),
        ),
        column<PodDisruptionBudget>(
          "Allowed Disruptions",
          "Pods that may be evicted now.",
          ({ status }) => status?.disruptionsAllowed ?? 0,
          "integer",
        ),
        ageColumn,
      ],
      subresources: { status: true },
      strategy: disruptionBudgetStrategy,
    },
  );
}

interface NetworkPolicy extends KubeObject {
  spec?: { podSelector?: LabelSelector };
}

function networkPolicy(): ResourceDefinition {
  const type = { group: "networking.k8s.io", version: "v1", plural: "networkpolicies", namespaced: true };
  return builtIn(
    { ...type, kind: "NetworkPolicy" },
    {
      package: "networking.v1",
      description: "Which traffic pods may have. Stored only: pods here share the host's network.",
      fields: { spec: networkPolicySpec },
      shortNames: ["netpol"],
      columns: [
        nameColumn,
        column<NetworkPolicy>("Pod-Selector", "The pods meant.", ({ spec }) => formatSelector(spec?.podSelector)),
        ageColumn,
      ],
      strategy: networkPolicyStrategy,
    },
  );
}

interface PriorityClass extends KubeObject {
  value?: number;
  globalDefault?: boolean;
}

function priorityClass(): ResourceDefinition {
  const type = { group: "scheduling.k8s.io", version: "v1", plural: "priorityclasses", namespaced: false };
  return builtIn(
    { ...type, kind: "PriorityClass" },
    {
      package: "scheduling.v1",
      description: "A name for a pod's priority. Stored only: no pod here makes way for another.",
      fields: {
        description: str("When to use it."),
        globalDefault: bool("True: pods without a class have this one."),
        preemptionPolicy: str("PreemptLowerPriority or Never.", { default: "PreemptLowerPriority" }),
        "value!": int32("The priority.", { default: 0 }),
      },
      shortNames: ["pc"],
      columns: [
        nameColumn,
        column<PriorityClass>("Value", "The priority.", ({ value }) => value ?? 0, "integer"),
        column<PriorityClass>(
          "Global-Default",
          "Whether it is the default.",
          ({ globalDefault }) => globalDefault ?? false,
          "boolean",
        ),
        ageColumn,
      ],
      strategy: priorityClassStrategy,
    },
  );
}

export function storedOnlyDefinitions(): ResourceDefinition[] {
  return [autoscaler(), networkPolicy(), disruptionBudget(), priorityClass()];
}
