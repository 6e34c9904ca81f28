// The kinds of the core group.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import {
  configMaps,
  events,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  services,
} from "@gatehouse/apimachinery/types/core-v1";
import type { ConfigMap, Event, Namespace, Node, Secret, ServiceAccount } from "@gatehouse/apimachinery/types/core-v1";
import type { PrinterColumn, ResourceDefinition } from "../resource-definition.ts";
import { configMapStrategy } from "../strategies/config-map.ts";
import { endpointsStrategy } from "../strategies/endpoints.ts";
import { eventStrategy } from "../strategies/event.ts";
import { namespaceStrategy } from "../strategies/namespace.ts";
import { nodeStrategy } from "../strategies/node.ts";
import { podStrategy } from "../strategies/pod.ts";
import { secretStrategy } from "../strategies/secret.ts";
import { serviceStrategy } from "../strategies/service.ts";
import { ageColumn, column, nameColumn, wideColumn } from "./columns.ts";
import { builtIn, selectable, selectableFlag } from "./definition-helpers.ts";
import { eventColumns } from "./event-columns.ts";
import { podColumns } from "./pod-columns.ts";
import { bool, bytes, field, int32, listBy, listOf, mapOf, microTime, str, stringMap, time } from "./schema-helpers.ts";
import { endpointsColumns, serviceColumns } from "./service-columns.ts";
import { eventSeries, eventSource, namespaceSpec, namespaceStatus } from "./types/namespace.ts";
import { nodeSpec, nodeStatus } from "./types/node.ts";
import { podSpec } from "./types/pod-spec.ts";
import { podStatus } from "./types/pod-status.ts";
import { localObjectReference, objectReference } from "./types/references.ts";
import { endpointSubset, serviceSpec, serviceStatus } from "./types/service.ts";

const core = "core.v1";

/** Pods have a default that the templates of workloads have not. */
const runningPodSpec = field(podSpec, "What the pod is asked to be.", {
  properties: {
    ...podSpec.properties,
    enableServiceLinks: bool("True: variables name the Services of the namespace.", {
      default: true,
    }),
  },
});

function pod(): ResourceDefinition {
  return builtIn(pods, {
    package: core,
    description: "Processes that run together on one node and share its network address.",
    fields: {
      spec: runningPodSpec,
      status: field(podStatus, "What the kubelet reports of the pod."),
    },
    shortNames: ["po"],
    categories: ["all"],
    columns: podColumns,
    subresources: { status: true },
    selectableFields: {
      ...selectableFlag("spec", "hostNetwork"),
      ...selectable(
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
      ),
    },
    strategy: podStrategy,
  });
}

function service(): ResourceDefinition {
  return builtIn(services, {
    package: core,
    description: "A stable name and address for a changing set of pods.",
    fields: {
      spec: field(serviceSpec, "What the Service offers and where it sends it."),
      status: field(serviceStatus, "What is known of the Service."),
    },
    shortNames: ["svc"],
    categories: ["all"],
    columns: serviceColumns,
    subresources: { status: true },
    selectableFields: selectable("spec.clusterIP", "spec.type"),
    strategy: serviceStrategy,
  });
}

const endpointsType: ResourceType = {
  group: "",
  version: "v1",
  plural: "endpoints",
  kind: "Endpoints",
  namespaced: true,
};

function endpoints(): ResourceDefinition {
  return builtIn(endpointsType, {
    package: core,
    description: "The addresses behind a Service. EndpointSlices have taken their place.",
    fields: { subsets: listOf(endpointSubset, "Addresses with the ports they share.") },
    shortNames: ["ep"],
    columns: endpointsColumns,
    strategy: endpointsStrategy,
  });
}

function namespace(): ResourceDefinition {
  return builtIn(namespaces, {
    package: core,
    description: "A space for names: most objects live in one.",
    fields: { spec: namespaceSpec, status: namespaceStatus },
    shortNames: ["ns"],
    columns: [
      nameColumn,
      column<Namespace>("Status", "Where it is in its life.", ({ status }) => status?.phase ?? ""),
      ageColumn,
    ],
    subresources: { status: true },
    verbs: ["deletecollection"],
    selectableFields: selectable("status.phase"),
    strategy: namespaceStrategy,
  });
}

const size = (map: Record<string, unknown> | undefined): number => Object.keys(map ?? {}).length;

function configMap(): ResourceDefinition {
  return builtIn(configMaps, {
    package: core,
    description: "Settings as keys and values, for pods to read.",
    fields: {
      data: stringMap("Keys and their text."),
      binaryData: mapOf(bytes(), "Keys and their bytes, in base64."),
      immutable: bool("True: the data can no longer be changed."),
    },
    shortNames: ["cm"],
    columns: [
      nameColumn,
      column<ConfigMap>("Data", "How many keys.", (map) => size(map.data) + size(map.binaryData)),
      ageColumn,
    ],
    strategy: configMapStrategy,
  });
}

function secret(): ResourceDefinition {
  return builtIn(secrets, {
    package: core,
    description: "Confidential keys and values, for pods to read.",
    fields: {
      data: mapOf(bytes(), "Keys and their bytes, in base64."),
      stringData: stringMap("Keys and their text; moved into data when written."),
      type: str("What the keys mean, e.g. kubernetes.io/tls.", { default: "Opaque" }),
      immutable: bool("True: the data can no longer be changed."),
    },
    columns: [
      nameColumn,
      column<Secret>("Type", "What the keys mean.", ({ type }) => type ?? ""),
      column<Secret>("Data", "How many keys.", ({ data }) => size(data)),
      ageColumn,
    ],
    selectableFields: selectable("type"),
    strategy: secretStrategy,
  });
}

function serviceAccount(): ResourceDefinition {
  return builtIn(serviceAccounts, {
    package: core,
    description: "An identity for the processes of pods.",
    fields: {
      secrets: listBy(["name"], objectReference, "Secrets its pods may use.", { repeats: true }),
      imagePullSecrets: listOf(localObjectReference, "Secrets to fetch images with."),
      automountServiceAccountToken: bool("False: pods get no token mounted."),
    },
    shortNames: ["sa"],
    columns: [
      nameColumn,
      column<ServiceAccount>("Secrets", "How many secrets.", (account) => account.secrets?.length ?? 0),
      ageColumn,
    ],
  });
}

function nodeState({ status, spec }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const state = ready ? (ready.status === "True" ? "Ready" : "NotReady") : "Unknown";
  return spec?.unschedulable ? `${state},SchedulingDisabled` : state;
}

function nodeRoles({ metadata }: Node): string {
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(prefix) && key.length > prefix.length) return [key.slice(prefix.length)];
    return key === "kubernetes.io/role" && value ? [value] : [];
  });
  return [...new Set(roles)].sort().join(",") || "<none>";
}

const nodeAddress = (type: string) => (node: Node) =>
  node.status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";

const nodeInfo = (key: string) => (node: Node) => node.status?.nodeInfo?.[key] || "<unknown>";

const nodeColumns: PrinterColumn[] = [
  nameColumn,
  column<Node>("Status", "Whether it is ready.", nodeState),
  column<Node>("Roles", "What it is for.", nodeRoles),
  ageColumn,
  column<Node>("Version", "Version of its kubelet.", (item) => item.status?.nodeInfo?.["kubeletVersion"] ?? ""),
  wideColumn<Node>("Internal-IP", "Address in the cluster.", nodeAddress("InternalIP")),
  wideColumn<Node>("External-IP", "Address outside the cluster.", nodeAddress("ExternalIP")),
  wideColumn<Node>("OS-Image", "Its operating system.", nodeInfo("osImage")),
  wideColumn<Node>("Kernel-Version", "Its kernel.", nodeInfo("kernelVersion")),
  wideColumn<Node>("Container-Runtime", "What runs its containers.", nodeInfo("containerRuntimeVersion")),
];

function node(): ResourceDefinition {
  return builtIn(nodes, {
    package: core,
    description: "A machine that runs pods.",
    fields: { spec: nodeSpec, status: nodeStatus },
    shortNames: ["no"],
    columns: nodeColumns,
    subresources: { status: true },
    selectableFields: selectableFlag("spec", "unschedulable"),
    strategy: nodeStrategy,
  });
}

function event(): ResourceDefinition {
  return builtIn(events, {
    package: core,
    description: "Something that happened to an object.",
    fields: {
      "involvedObject!": field(objectReference, "What it happened to."),
      reason: str("Why, in one CamelCase word."),
      message: str("What happened, in a sentence."),
      source: field(eventSource, "Who reported it.", { default: {} }),
      firstTimestamp: time("When it was first seen."),
      lastTimestamp: time("When it was last seen."),
      count: int32("How often it was seen."),
      type: str("Normal or Warning."),
      eventTime: microTime("When it was first seen."),
      series: field(eventSeries, "How often it was repeated."),
      action: str("What was done."),
      related: field(objectReference, "Another object that had a part in it."),
      reportingComponent: str("The controller that reported it.", { default: "" }),
      reportingInstance: str("Which instance of the controller.", { default: "" }),
    },
    shortNames: ["ev"],
    columns: eventColumns,
    selectableFields: {
      ...selectable(
        ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
          (name) => `involvedObject.${name}`,
        ),
        "reason",
        "reportingComponent",
        "type",
      ),
      source: (item) => (item as Event).source?.component || (item as Event).reportingComponent || "",
    },
    strategy: eventStrategy,
  });
}

export function coreDefinitions(): ResourceDefinition[] {
  return [namespace(), pod(), service(), endpoints(), configMap(), secret(), serviceAccount(), node(), event()];
}
