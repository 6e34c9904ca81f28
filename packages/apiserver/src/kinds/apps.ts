// The kinds of apps/v1.

import { controllerOf } from "@gatehouse/apimachinery/meta";
import {
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
} from "@gatehouse/apimachinery/types/apps-v1";
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from "@gatehouse/apimachinery/types/apps-v1";
import type { ResourceDefinition } from "../resource-definition.ts";
import { controllerRevisionStrategy } from "../strategies/controller-revision.ts";
import { daemonSetStrategy } from "../strategies/daemon-set.ts";
import { deploymentStrategy } from "../strategies/deployment.ts";
import { replicaSetStrategy } from "../strategies/replica-set.ts";
import { statefulSetStrategy } from "../strategies/stateful-set.ts";
import { ageColumn, column, formatLabels, nameColumn, workloadColumns } from "./columns.ts";
import { builtIn, selectable } from "./definition-helpers.ts";
import { anyObject, int64 } from "./schema-helpers.ts";
import { statefulSetSpec, statefulSetStatus } from "./types/stateful-set.ts";
import {
  daemonSetSpec,
  daemonSetStatus,
  deploymentSpec,
  deploymentStatus,
  replicaSetSpec,
  replicaSetStatus,
} from "./types/workload.ts";

const apps = "apps.v1";

const scale = {
  specReplicasPath: ".spec.replicas",
  statusReplicasPath: ".status.replicas",
  labelSelectorPath: ".spec.selector",
};

function deployment(): ResourceDefinition {
  return builtIn(deployments, {
    package: apps,
    description: "Keeps a number of equal pods running and rolls changes of them out.",
    fields: { spec: deploymentSpec, status: deploymentStatus },
    shortNames: ["deploy"],
    categories: ["all"],
    columns: [
      nameColumn,
      column<Deployment>("Ready", "Pods that are ready, of how many.", ({ spec, status }) => {
        return `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`;
      }),
      column<Deployment>("Up-to-date", "Pods of the newest template.", ({ status }) => status?.updatedReplicas ?? 0),
      column<Deployment>(
        "Available",
        "Pods ready for minReadySeconds.",
        ({ status }) => status?.availableReplicas ?? 0,
      ),
      ageColumn,
      ...workloadColumns,
    ],
    subresources: { status: true, scale },
    strategy: deploymentStrategy,
  });
}

function replicaSet(): ResourceDefinition {
  return builtIn(replicaSets, {
    package: apps,
    description: "Keeps a number of equal pods running.",
    fields: { spec: replicaSetSpec, status: replicaSetStatus },
    shortNames: ["rs"],
    categories: ["all"],
    columns: [
      nameColumn,
      column<ReplicaSet>("Desired", "Pods wanted.", ({ spec }) => spec.replicas ?? 1, "integer"),
      column<ReplicaSet>("Current", "Pods there are.", ({ status }) => status?.replicas ?? 0, "integer"),
      column<ReplicaSet>("Ready", "Pods that are ready.", ({ status }) => status?.readyReplicas ?? 0, "integer"),
      ageColumn,
      ...workloadColumns,
    ],
    subresources: { status: true, scale },
    selectableFields: selectable("status.replicas"),
    strategy: replicaSetStrategy,
  });
}

const count = (
  name: string,
  description: string,
  cell: (status: NonNullable<DaemonSet["status"]>) => number | undefined,
) => column<DaemonSet>(name, description, ({ status }) => (status && cell(status)) ?? 0, "integer");

function daemonSet(): ResourceDefinition {
  return builtIn(daemonSets, {
    package: apps,
    description: "Keeps a pod running on every node.",
    fields: { spec: daemonSetSpec, status: daemonSetStatus },
    shortNames: ["ds"],
    categories: ["all"],
    columns: [
      nameColumn,
      count("Desired", "Nodes that should run a pod.", (status) => status.desiredNumberScheduled),
      count("Current", "Nodes that run one.", (status) => status.currentNumberScheduled),
      count("Ready", "Nodes with a ready pod.", (status) => status.numberReady),
      count("Up-to-date", "Nodes with a pod of the newest template.", (status) => status.updatedNumberScheduled),
      count("Available", "Nodes with an available pod.", (status) => status.numberAvailable),
      column<DaemonSet>("Node Selector", "Labels a node must have.", ({ spec }) =>
        formatLabels(spec.template.spec.nodeSelector),
      ),
      ageColumn,
      ...workloadColumns,
    ],
    subresources: { status: true },
    strategy: daemonSetStrategy,
  });
}

function statefulSet(): ResourceDefinition {
  return builtIn(statefulSets, {
    package: apps,
    description: "Keeps a number of pods running, each with a name of its own that stays.",
    fields: { spec: statefulSetSpec, status: statefulSetStatus },
    shortNames: ["sts"],
    categories: ["all"],
    columns: [
      nameColumn,
      column<StatefulSet>("Ready", "Pods that are ready, of how many.", ({ spec, status }) => {
        return `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`;
      }),
      ageColumn,
      // Containers and images; the selector is not shown.
      ...workloadColumns.slice(0, 2),
    ],
    subresources: { status: true, scale },
    strategy: statefulSetStrategy,
  });
}

function controllerName(object: ControllerRevision): string {
  const owner = controllerOf(object);
  if (!owner) return "<none>";
  const [group] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : [""];
  return `${owner.kind.toLowerCase()}${group ? `.${group}` : ""}/${owner.name}`;
}

function controllerRevision(): ResourceDefinition {
  return builtIn(controllerRevisions, {
    package: apps,
    description: "An earlier state of a DaemonSet or StatefulSet, to roll back to.",
    fields: {
      data: anyObject("The state.", { "x-kubernetes-map-type": "atomic" }),
      "revision!": int64("Number of the revision.", { default: 0 }),
    },
    columns: [
      nameColumn,
      column<ControllerRevision>("Controller", "What it is a revision of.", controllerName),
      column<ControllerRevision>("Revision", "Number of the revision.", ({ revision }) => revision),
      ageColumn,
    ],
    strategy: controllerRevisionStrategy,
  });
}

export function appsDefinitions(): ResourceDefinition[] {
  return [deployment(), replicaSet(), daemonSet(), statefulSet(), controllerRevision()];
}
