// Where a pod wants to run (core/v1).

import { labelSelector } from "./meta.ts";
import { int32, int64, listOf, oneOf, str, strings, struct } from "../schema-helpers.ts";

const nodeSelectorRequirement = struct("core.v1.NodeSelectorRequirement", "One condition on a node.", {
  "key!": str(),
  "operator!": oneOf(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
  values: strings(),
});

const nodeSelectorTerm = struct(
  "core.v1.NodeSelectorTerm",
  "Conditions that must hold together.",
  {
    matchExpressions: listOf(nodeSelectorRequirement),
    matchFields: listOf(nodeSelectorRequirement),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const nodeSelector = struct(
  "core.v1.NodeSelector",
  "Terms of which one must hold.",
  {
    "nodeSelectorTerms!": listOf(nodeSelectorTerm),
  },
  { "x-kubernetes-map-type": "atomic" },
);

const preferredSchedulingTerm = struct("core.v1.PreferredSchedulingTerm", "A wish with a weight.", {
  "preference!": nodeSelectorTerm,
  "weight!": int32(),
});

const nodeAffinity = struct("core.v1.NodeAffinity", "Which nodes a pod may and would like to run on.", {
  preferredDuringSchedulingIgnoredDuringExecution: listOf(preferredSchedulingTerm),
  requiredDuringSchedulingIgnoredDuringExecution: nodeSelector,
});

const podAffinityTerm = struct("core.v1.PodAffinityTerm", "Pods to be near to or far from.", {
  labelSelector: labelSelector,
  matchLabelKeys: strings(),
  mismatchLabelKeys: strings(),
  namespaceSelector: labelSelector,
  namespaces: strings(),
  "topologyKey!": str(),
});

const weightedPodAffinityTerm = struct("core.v1.WeightedPodAffinityTerm", "A wish with a weight.", {
  "podAffinityTerm!": podAffinityTerm,
  "weight!": int32(),
});

const podAffinity = struct("core.v1.PodAffinity", "Pods to be near to.", {
  preferredDuringSchedulingIgnoredDuringExecution: listOf(weightedPodAffinityTerm),
  requiredDuringSchedulingIgnoredDuringExecution: listOf(podAffinityTerm),
});

const podAntiAffinity = struct("core.v1.PodAntiAffinity", "Pods to be far from.", {
  preferredDuringSchedulingIgnoredDuringExecution: listOf(weightedPodAffinityTerm),
  requiredDuringSchedulingIgnoredDuringExecution: listOf(podAffinityTerm),
});

export const affinity = struct("core.v1.Affinity", "Where a pod may and would like to run.", {
  nodeAffinity: nodeAffinity,
  podAffinity: podAffinity,
  podAntiAffinity: podAntiAffinity,
});

export const toleration = struct("core.v1.Toleration", "A taint of nodes that the pod puts up with.", {
  effect: str("The taint's effect; all when empty."),
  key: str("The taint's key; all when empty."),
  operator: str("Exists or Equal."),
  tolerationSeconds: int64("Seconds the pod stays on a node that gets a NoExecute taint."),
  value: str(),
});

export const topologySpreadConstraint = struct("core.v1.TopologySpreadConstraint", "How evenly pods are spread.", {
  labelSelector: labelSelector,
  matchLabelKeys: strings(),
  "maxSkew!": int32(),
  minDomains: int32(),
  nodeAffinityPolicy: str(),
  nodeTaintsPolicy: str(),
  "topologyKey!": str(),
  "whenUnsatisfiable!": oneOf(["DoNotSchedule", "ScheduleAnyway"]),
});
