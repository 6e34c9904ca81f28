// Deployments, ReplicaSets and DaemonSets (apps/v1).

import { labelSelector } from "./meta.ts";
import { podTemplateSpec } from "./pod-spec.ts";
import { bool, field, int32, int64, intOrString, listBy, oneOf, str, struct, time } from "../schema-helpers.ts";

const rollingUpdateDeployment = struct(
  "apps.v1.RollingUpdateDeployment",
  "How many pods may be too many or too few during an update.",
  {
    maxSurge: intOrString("Pods above the wanted number: a count or a percentage.", { default: "25%" }),
    maxUnavailable: intOrString("Pods below the wanted number: a count or a percentage.", { default: "25%" }),
  },
);

export const deploymentStrategy = struct("apps.v1.DeploymentStrategy", "How old pods are replaced by new ones.", {
  rollingUpdate: field(rollingUpdateDeployment, "Settings of RollingUpdate."),
  type: oneOf(["Recreate", "RollingUpdate"], "RollingUpdate or Recreate.", { default: "RollingUpdate" }),
});

export const deploymentSpec = struct("apps.v1.DeploymentSpec", "What a Deployment is asked to run.", {
  minReadySeconds: int32("Seconds a new pod must be ready to count as available."),
  paused: bool("True: changes are not rolled out."),
  progressDeadlineSeconds: int32("Seconds without progress until the rollout counts as failed.", { default: 600 }),
  replicas: int32("How many pods.", { default: 1 }),
  revisionHistoryLimit: int32("Old ReplicaSets to keep for a rollback.", { default: 10 }),
  "selector!": field(labelSelector, "Which pods belong to it; must match the template's labels and cannot be changed."),
  strategy: field(deploymentStrategy, "How old pods are replaced by new ones.", {
    default: {},
    "x-kubernetes-patch-strategy": "retainKeys",
  }),
  "template!": field(podTemplateSpec, "The pods to make."),
});

const deploymentCondition = struct("apps.v1.DeploymentCondition", "One aspect of a Deployment's state.", {
  lastTransitionTime: time(),
  lastUpdateTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

export const deploymentStatus = struct("apps.v1.DeploymentStatus", "How far a Deployment has come.", {
  availableReplicas: int32("Pods ready for minReadySeconds."),
  collisionCount: int32(),
  conditions: listBy(["type"], deploymentCondition, "Aspects of its state."),
  observedGeneration: int64("The generation this is about."),
  readyReplicas: int32("Pods that are ready."),
  replicas: int32("Pods there are."),
  terminatingReplicas: int32(),
  unavailableReplicas: int32("Pods still missing."),
  updatedReplicas: int32("Pods of the newest template."),
});

export const replicaSetSpec = struct("apps.v1.ReplicaSetSpec", "What a ReplicaSet keeps running.", {
  minReadySeconds: int32("Seconds a new pod must be ready to count as available."),
  replicas: int32("How many pods.", { default: 1 }),
  "selector!": field(labelSelector, "Which pods belong to it; cannot be changed."),
  template: field(podTemplateSpec, "The pods to make."),
});

const replicaSetCondition = struct("apps.v1.ReplicaSetCondition", "One aspect of a ReplicaSet's state.", {
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

export const replicaSetStatus = struct("apps.v1.ReplicaSetStatus", "What a ReplicaSet has running.", {
  availableReplicas: int32(),
  conditions: listBy(["type"], replicaSetCondition),
  fullyLabeledReplicas: int32(),
  observedGeneration: int64(),
  readyReplicas: int32(),
  "replicas!": int32("Pods there are.", { default: 0 }),
  terminatingReplicas: int32(),
});

const rollingUpdateDaemonSet = struct(
  "apps.v1.RollingUpdateDaemonSet",
  "How many nodes may be without their pod during an update.",
  {
    maxSurge: intOrString("Nodes with an old and a new pod: a count or a percentage.", { default: 0 }),
    maxUnavailable: intOrString("Nodes without a pod: a count or a percentage.", { default: 1 }),
  },
);

const daemonSetUpdateStrategy = struct("apps.v1.DaemonSetUpdateStrategy", "How old pods are replaced by new ones.", {
  rollingUpdate: field(rollingUpdateDaemonSet, "Settings of RollingUpdate."),
  type: oneOf(["RollingUpdate", "OnDelete"], "RollingUpdate or OnDelete.", { default: "RollingUpdate" }),
});

export const daemonSetSpec = struct("apps.v1.DaemonSetSpec", "What a DaemonSet runs on every node.", {
  minReadySeconds: int32("Seconds a new pod must be ready to count as available."),
  revisionHistoryLimit: int32("Old revisions to keep for a rollback.", { default: 10 }),
  "selector!": field(labelSelector, "Which pods belong to it; cannot be changed."),
  "template!": field(podTemplateSpec, "The pods to make."),
  updateStrategy: field(daemonSetUpdateStrategy, "How old pods are replaced by new ones.", { default: {} }),
});

const daemonSetCondition = struct("apps.v1.DaemonSetCondition", "One aspect of a DaemonSet's state.", {
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

export const daemonSetStatus = struct("apps.v1.DaemonSetStatus", "What a DaemonSet has running.", {
  collisionCount: int32(),
  conditions: listBy(["type"], daemonSetCondition),
  "currentNumberScheduled!": int32("Nodes that run a pod and should.", { default: 0 }),
  "desiredNumberScheduled!": int32("Nodes that should run a pod.", { default: 0 }),
  numberAvailable: int32(),
  "numberMisscheduled!": int32("Nodes that run a pod and should not.", { default: 0 }),
  "numberReady!": int32("Nodes with a ready pod.", { default: 0 }),
  numberUnavailable: int32(),
  observedGeneration: int64(),
  updatedNumberScheduled: int32(),
});
