// What a pod is asked to be (core/v1).

import { affinity, toleration, topologySpreadConstraint } from "./affinity.ts";
import { container, ephemeralContainer, resourceRequirements } from "./container.ts";
import { objectMeta } from "./meta.ts";
import { localObjectReference } from "./references.ts";
import { podSecurityContext } from "./security-context.ts";
import { volume } from "./volume.ts";
import {
  bool,
  field,
  int32,
  int64,
  listBy,
  listOf,
  oneOf,
  quantities,
  str,
  stringMap,
  strings,
  struct,
} from "../schema-helpers.ts";

const hostAlias = struct("core.v1.HostAlias", "A line of the pod's hosts file.", {
  hostnames: strings("Names of the address."),
  "ip!": str("The address."),
});

const podDNSConfigOption = struct("core.v1.PodDNSConfigOption", "A resolver option.", {
  name: str(),
  value: str(),
});

const podDNSConfig = struct("core.v1.PodDNSConfig", "Settings of the pod's resolver.", {
  nameservers: strings(),
  options: listOf(podDNSConfigOption),
  searches: strings(),
});

const podOS = struct("core.v1.PodOS", "The operating system the pod is for.", {
  "name!": str(),
});

const podReadinessGate = struct("core.v1.PodReadinessGate", "A condition that must be true for the pod to be ready.", {
  "conditionType!": str(),
});

const podResourceClaim = struct("core.v1.PodResourceClaim", "A claim for devices.", {
  "name!": str(),
  resourceClaimName: str(),
  resourceClaimTemplateName: str(),
});

const podSchedulingGate = struct("core.v1.PodSchedulingGate", "Holds the pod back from scheduling.", {
  "name!": str(),
});

export const podSpec = struct("core.v1.PodSpec", "What a pod is asked to be.", {
  activeDeadlineSeconds: int64("Seconds after which the pod is failed."),
  affinity: field(affinity, "Where the pod may and would like to run."),
  automountServiceAccountToken: bool("False: no token is mounted."),
  "containers!": listBy(["name"], container, "The processes of the pod; at least one.", { repeats: true }),
  dnsConfig: podDNSConfig,
  dnsPolicy: oneOf(["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"], "How names are resolved.", {
    default: "ClusterFirst",
  }),
  enableServiceLinks: bool("True: variables name the Services of the namespace."),
  ephemeralContainers: listBy(["name"], ephemeralContainer, "Containers added to look into the pod."),
  hostAliases: listBy(["ip"], hostAlias, "Lines of the pod's hosts file.", { repeats: true }),
  hostIPC: bool(),
  hostNetwork: bool("True: the pod uses the node's network and ports."),
  hostPID: bool(),
  hostUsers: bool(),
  hostname: str("Name of the host as the pod sees it."),
  hostnameOverride: str(),
  imagePullSecrets: listBy(["name"], localObjectReference, "Secrets to fetch images with.", { repeats: true }),
  initContainers: listBy(["name"], container, "Run one after the other before the containers start.", {
    repeats: true,
  }),
  nodeName: str("The node the pod runs on; set by the scheduler."),
  nodeSelector: stringMap("Labels the node must have.", { "x-kubernetes-map-type": "atomic" }),
  os: podOS,
  overhead: quantities(),
  preemptionPolicy: str(),
  priority: int32(),
  priorityClassName: str("Class that gives the pod its priority."),
  readinessGates: listOf(podReadinessGate, "Conditions that must be true for the pod to be ready."),
  resourceClaims: listBy(["name"], podResourceClaim, undefined, { patch: "merge,retainKeys" }),
  resources: resourceRequirements,
  restartPolicy: oneOf(["Always", "OnFailure", "Never"], "When containers are restarted.", { default: "Always" }),
  runtimeClassName: str(),
  schedulerName: str("Who places the pod.", { default: "default-scheduler" }),
  schedulingGates: listBy(["name"], podSchedulingGate),
  securityContext: field(podSecurityContext, "Privileges of all containers.", { default: {} }),
  serviceAccount: str("Old name of serviceAccountName."),
  serviceAccountName: str("The service account whose identity the pod has."),
  setHostnameAsFQDN: bool(),
  shareProcessNamespace: bool(),
  subdomain: str(),
  terminationGracePeriodSeconds: int64("Seconds the pod gets to end by itself.", { default: 30 }),
  tolerations: listOf(toleration, "Taints the pod puts up with."),
  topologySpreadConstraints: listBy(["topologyKey", "whenUnsatisfiable"], topologySpreadConstraint),
  volumes: listBy(["name"], volume, "Directories that containers can mount.", {
    patch: "merge,retainKeys",
    repeats: true,
  }),
});

export const podTemplateSpec = struct("core.v1.PodTemplateSpec", "The pods that a workload makes.", {
  metadata: field(objectMeta, "Labels and annotations of the pods."),
  spec: field(podSpec, "What the pods are asked to be."),
});
