// What the kubelet reports of a pod (core/v1).

import { resourceRequirements } from "./container.ts";
import { bool, field, int32, int64, listBy, listOf, quantities, str, struct, time } from "../schema-helpers.ts";

const podCondition = struct("core.v1.PodCondition", "One aspect of a pod's state.", {
  lastProbeTime: time(),
  lastTransitionTime: time(),
  message: str("A sentence for people."),
  observedGeneration: int64(),
  reason: str("One CamelCase word for why."),
  "status!": str("True, False or Unknown."),
  "type!": str("Which aspect, e.g. Ready."),
});

const containerStateRunning = struct("core.v1.ContainerStateRunning", "The container runs.", {
  startedAt: time("Since when."),
});

const containerStateTerminated = struct("core.v1.ContainerStateTerminated", "The container has ended.", {
  containerID: str(),
  "exitCode!": int32("Exit code of the process.", { default: 0 }),
  finishedAt: time(),
  message: str(),
  reason: str("One CamelCase word for why."),
  signal: int32("Signal that ended it."),
  startedAt: time(),
});

const containerStateWaiting = struct("core.v1.ContainerStateWaiting", "The container is yet to start.", {
  message: str("A sentence for people."),
  reason: str("One CamelCase word for why."),
});

const containerState = struct("core.v1.ContainerState", "What a container does; at most one of these.", {
  running: containerStateRunning,
  terminated: containerStateTerminated,
  waiting: containerStateWaiting,
});

const linuxContainerUser = struct("core.v1.LinuxContainerUser", "User and groups of a process.", {
  "gid!": int64(undefined, { default: 0 }),
  supplementalGroups: listOf(int64()),
  "uid!": int64(undefined, { default: 0 }),
});

const containerUser = struct("core.v1.ContainerUser", "User of the first process.", {
  linux: linuxContainerUser,
});

const resourceHealth = struct("core.v1.ResourceHealth", "Health of a device.", {
  health: str(),
  "resourceID!": str(),
});

const resourceStatus = struct("core.v1.ResourceStatus", "Health of a container's devices.", {
  "name!": str(),
  resources: listBy(["resourceID"], resourceHealth, undefined, { patch: "none" }),
});

const volumeMountStatus = struct("core.v1.VolumeMountStatus", "A volume as mounted.", {
  "mountPath!": str(),
  "name!": str(),
  readOnly: bool(),
  recursiveReadOnly: str(),
});

const containerStatus = struct("core.v1.ContainerStatus", "What the kubelet reports of a container.", {
  allocatedResources: quantities(),
  allocatedResourcesStatus: listBy(["name"], resourceStatus),
  containerID: str("Identity of the running container."),
  "image!": str("The image it runs.", { default: "" }),
  "imageID!": str("Identity of the image.", { default: "" }),
  lastState: field(containerState, "How it ended the last time.", { default: {} }),
  "name!": str("Name of the container."),
  "ready!": bool("Whether its readiness probe succeeds.", { default: false }),
  resources: resourceRequirements,
  "restartCount!": int32("How often it was restarted.", { default: 0 }),
  started: bool("Whether its startup probe has succeeded."),
  state: field(containerState, "What it does now.", { default: {} }),
  stopSignal: str(),
  user: containerUser,
  volumeMounts: listBy(["mountPath"], volumeMountStatus),
});

const containerExtendedResourceRequest = struct(
  "core.v1.ContainerExtendedResourceRequest",
  "A request served by a claim.",
  {
    "containerName!": str(),
    "requestName!": str(),
    "resourceName!": str(),
  },
);

const podExtendedResourceClaimStatus = struct(
  "core.v1.PodExtendedResourceClaimStatus",
  "The claim made for extended resources.",
  {
    "requestMappings!": listOf(containerExtendedResourceRequest),
    "resourceClaimName!": str(),
  },
);

const hostIP = struct("core.v1.HostIP", "An address of the node.", {
  "ip!": str(),
});

export const podIP = struct("core.v1.PodIP", "An address of the pod.", {
  "ip!": str(),
});

const podResourceClaimStatus = struct("core.v1.PodResourceClaimStatus", "The claim that serves a request.", {
  "name!": str(),
  resourceClaimName: str(),
});

export const podStatus = struct("core.v1.PodStatus", "What the kubelet reports of a pod.", {
  conditions: listBy(["type"], podCondition, "Aspects of the pod's state."),
  containerStatuses: listOf(containerStatus, "State of each container."),
  ephemeralContainerStatuses: listOf(containerStatus),
  extendedResourceClaimStatus: podExtendedResourceClaimStatus,
  hostIP: str("Address of the node."),
  hostIPs: listOf(hostIP, undefined, { "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "ip" }),
  initContainerStatuses: listOf(containerStatus, "State of each init container."),
  message: str("A sentence for people."),
  nominatedNodeName: str(),
  observedGeneration: int64(),
  phase: str("Pending, Running, Succeeded, Failed or Unknown."),
  podIP: str("Address of the pod."),
  podIPs: listBy(["ip"], podIP, "Addresses of the pod.", { repeats: true }),
  qosClass: str("Guaranteed, Burstable or BestEffort."),
  reason: str("One CamelCase word for the phase."),
  resize: str(),
  resourceClaimStatuses: listBy(["name"], podResourceClaimStatus, undefined, { patch: "merge,retainKeys" }),
  startTime: time("When the kubelet took the pod."),
});
