// Nodes (core/v1).

import {
  bool,
  field,
  int32,
  int64,
  listBy,
  listOf,
  oneOf,
  quantities,
  setOf,
  str,
  strings,
  struct,
  time,
} from "../schema-helpers.ts";

const configMapNodeConfigSource = struct("core.v1.ConfigMapNodeConfigSource", "No longer used.", {
  "kubeletConfigKey!": str(),
  "name!": str(),
  "namespace!": str(),
  resourceVersion: str(),
  uid: str(),
});

const nodeConfigSource = struct("core.v1.NodeConfigSource", "No longer used.", {
  configMap: configMapNodeConfigSource,
});

const taint = struct("core.v1.Taint", "Keeps pods that do not tolerate it off the node.", {
  "effect!": oneOf(["NoSchedule", "PreferNoSchedule", "NoExecute"], "NoSchedule, PreferNoSchedule or NoExecute."),
  "key!": str(),
  timeAdded: time(),
  value: str(),
});

export const nodeSpec = struct("core.v1.NodeSpec", "What a node is asked to be.", {
  configSource: nodeConfigSource,
  externalID: str(),
  podCIDR: str("Addresses of the node's pods."),
  podCIDRs: setOf(str(), "Addresses of the node's pods.", {
    "x-kubernetes-patch-strategy": "merge",
  }),
  providerID: str(),
  taints: listOf(taint, "Taints of the node."),
  unschedulable: bool("True: no new pods are placed here."),
});

export const nodeAddress = struct("core.v1.NodeAddress", "An address of a node.", {
  "address!": str(undefined, { default: "" }),
  "type!": str(undefined, { default: "" }),
});

const nodeCondition = struct("core.v1.NodeCondition", "One aspect of a node's state.", {
  lastHeartbeatTime: time(),
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str("True, False or Unknown."),
  "type!": str("Which aspect, e.g. Ready."),
});

const nodeConfigStatus = struct("core.v1.NodeConfigStatus", "No longer used.", {
  active: nodeConfigSource,
  assigned: nodeConfigSource,
  error: str(),
  lastKnownGood: nodeConfigSource,
});

const daemonEndpoint = struct("core.v1.DaemonEndpoint", "A port of a daemon.", {
  "Port!": int32(undefined, { default: 0 }),
});

const nodeDaemonEndpoints = struct("core.v1.NodeDaemonEndpoints", "Ports of the node's daemons.", {
  kubeletEndpoint: daemonEndpoint,
});

const nodeFeatures = struct("core.v1.NodeFeatures", "What the node's runtime can do.", {
  supplementalGroupsPolicy: bool(),
});

const containerImage = struct("core.v1.ContainerImage", "An image on the node.", {
  names: strings(),
  sizeBytes: int64(),
});

const nodeSwapStatus = struct("core.v1.NodeSwapStatus", "Swap of the node.", {
  capacity: int64(),
});

const nodeSystemInfo = struct("core.v1.NodeSystemInfo", "Identity and software of a node.", {
  "architecture!": str(undefined, { default: "" }),
  "bootID!": str(undefined, { default: "" }),
  "containerRuntimeVersion!": str(undefined, { default: "" }),
  "kernelVersion!": str(undefined, { default: "" }),
  "kubeProxyVersion!": str(undefined, { default: "" }),
  "kubeletVersion!": str(undefined, { default: "" }),
  "machineID!": str(undefined, { default: "" }),
  "operatingSystem!": str(undefined, { default: "" }),
  "osImage!": str(undefined, { default: "" }),
  swap: nodeSwapStatus,
  "systemUUID!": str(undefined, { default: "" }),
});

const nodeRuntimeHandlerFeatures = struct("core.v1.NodeRuntimeHandlerFeatures", "What a runtime handler can do.", {
  recursiveReadOnlyMounts: bool(),
  userNamespaces: bool(),
});

const nodeRuntimeHandler = struct("core.v1.NodeRuntimeHandler", "A runtime handler.", {
  features: nodeRuntimeHandlerFeatures,
  name: str(),
});

const attachedVolume = struct("core.v1.AttachedVolume", "A volume attached to the node.", {
  "devicePath!": str(),
  "name!": str(),
});

export const nodeStatus = struct("core.v1.NodeStatus", "What is known of a node.", {
  addresses: listBy(["type"], nodeAddress, "Its addresses.", { repeats: true }),
  allocatable: quantities("Resources pods may use."),
  capacity: quantities("Resources of the node."),
  conditions: listBy(["type"], nodeCondition, "Aspects of its state."),
  config: nodeConfigStatus,
  daemonEndpoints: nodeDaemonEndpoints,
  features: nodeFeatures,
  images: listOf(containerImage, "Images on the node."),
  nodeInfo: field(nodeSystemInfo, "Its identity and software."),
  phase: str(),
  runtimeHandlers: listOf(nodeRuntimeHandler),
  volumesAttached: listOf(attachedVolume),
  volumesInUse: strings(),
});
