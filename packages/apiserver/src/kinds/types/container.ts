// One process of a pod and what it is given (core/v1).

import { lifecycle, probe } from "./probe.ts";
import {
  configMapKeySelector,
  fileKeySelector,
  objectFieldSelector,
  resourceFieldSelector,
  secretKeySelector,
} from "./references.ts";
import { securityContext } from "./security-context.ts";
import {
  bool,
  field,
  int32,
  listBy,
  listOf,
  oneOf,
  quantities,
  setOf,
  str,
  strings,
  struct,
} from "../schema-helpers.ts";

const envVarSource = struct("core.v1.EnvVarSource", "Where a variable's value comes from; exactly one of these.", {
  configMapKeyRef: field(configMapKeySelector, "A key of a ConfigMap."),
  fieldRef: field(objectFieldSelector, "A field of the pod."),
  fileKeyRef: fileKeySelector,
  resourceFieldRef: field(resourceFieldSelector, "A resource request or limit of the container."),
  secretKeyRef: field(secretKeySelector, "A key of a Secret."),
});

const envVar = struct("core.v1.EnvVar", "An environment variable.", {
  "name!": str("Name of the variable."),
  value: str("Its value; $(OTHER) is replaced by variables before it."),
  valueFrom: field(envVarSource, "Where the value comes from instead."),
});

const configMapEnvSource = struct("core.v1.ConfigMapEnvSource", "All keys of a ConfigMap.", {
  name: str(undefined, { default: "" }),
  optional: bool(),
});

const secretEnvSource = struct("core.v1.SecretEnvSource", "All keys of a Secret.", {
  name: str(undefined, { default: "" }),
  optional: bool(),
});

const envFromSource = struct("core.v1.EnvFromSource", "Keys that become environment variables.", {
  configMapRef: field(configMapEnvSource, "The ConfigMap to read."),
  prefix: str("Put before each name."),
  secretRef: field(secretEnvSource, "The Secret to read."),
});

const containerPort = struct("core.v1.ContainerPort", "A port the container listens on.", {
  "containerPort!": int32("The port at the pod's address."),
  hostIP: str("Address of the node to open hostPort at."),
  hostPort: int32("The same port at the node's address."),
  name: str("Name by which Services may refer to it."),
  protocol: oneOf(["SCTP", "TCP", "UDP"], "TCP, UDP or SCTP.", { default: "TCP" }),
});

const resourceClaim = struct("core.v1.ResourceClaim", "A claim of the pod that the container uses.", {
  "name!": str(),
  request: str(),
});

export const resourceRequirements = struct("core.v1.ResourceRequirements", "What a container needs and may use.", {
  claims: listBy(["name"], resourceClaim, "Claims of the pod it uses.", { patch: "none" }),
  limits: quantities("What it may use at most."),
  requests: quantities("What it needs at least."),
});

const containerResizePolicy = struct(
  "core.v1.ContainerResizePolicy",
  "What a change of a resource means for the running container.",
  {
    "resourceName!": str(),
    "restartPolicy!": str(),
  },
);

const containerRestartRuleOnExitCodes = struct(
  "core.v1.ContainerRestartRuleOnExitCodes",
  "Exit codes that a restart rule is for.",
  {
    "operator!": str(),
    values: setOf(int32()),
  },
);

const containerRestartRule = struct("core.v1.ContainerRestartRule", "When to restart the container.", {
  "action!": str(),
  exitCodes: containerRestartRuleOnExitCodes,
});

const volumeDevice = struct("core.v1.VolumeDevice", "A block device given to the container.", {
  "devicePath!": str(),
  "name!": str(),
});

const volumeMount = struct("core.v1.VolumeMount", "A volume of the pod at a path of the container.", {
  "mountPath!": str("Path in the container."),
  mountPropagation: oneOf(["Bidirectional", "HostToContainer", "None"]),
  "name!": str("Name of the volume."),
  readOnly: bool("True: read only."),
  recursiveReadOnly: str(),
  subPath: str("Path within the volume; its root when empty."),
  subPathExpr: str(),
});

export const container = struct("core.v1.Container", "One process of a pod.", {
  args: strings("Arguments of the entry point."),
  command: strings("Replaces the image's entry point."),
  env: listBy(["name"], envVar, "Environment variables.", { repeats: true }),
  envFrom: listOf(envFromSource, "Sources of environment variables."),
  image: str("The image to run."),
  imagePullPolicy: oneOf(
    ["Always", "IfNotPresent", "Never"],
    "When to fetch the image; Always for the tag latest, else IfNotPresent.",
  ),
  lifecycle: field(lifecycle, "Hooks around the container's life."),
  livenessProbe: field(probe, "Restarts the container when it fails."),
  "name!": str("Name, unique in the pod."),
  ports: listBy(["containerPort", "protocol"], containerPort, "Ports the container listens on.", { repeats: true }),
  readinessProbe: field(probe, "Takes the pod out of Services while it fails."),
  resizePolicy: listOf(containerResizePolicy),
  resources: field(resourceRequirements, "What it needs and may use.", { default: {} }),
  restartPolicy: str("For init containers: Always makes a sidecar of it."),
  restartPolicyRules: listOf(containerRestartRule),
  securityContext: field(securityContext, "Privileges of the container."),
  startupProbe: field(probe, "Holds the other probes back until it succeeds."),
  stdin: bool(),
  stdinOnce: bool(),
  terminationMessagePath: str("File whose text is reported when the container ends.", {
    default: "/dev/termination-log",
  }),
  terminationMessagePolicy: oneOf(["File", "FallbackToLogsOnError"], "Where that text is taken from.", {
    default: "File",
  }),
  tty: bool(),
  volumeDevices: listBy(["devicePath"], volumeDevice),
  volumeMounts: listBy(["mountPath"], volumeMount, "Volumes to mount.", { repeats: true }),
  workingDir: str("Directory to start in."),
});

export const ephemeralContainer = struct(
  "core.v1.EphemeralContainer",
  "A container added to a running pod to look into it.",
  {
    args: strings(),
    command: strings(),
    env: listBy(["name"], envVar, undefined, { repeats: true }),
    envFrom: listOf(envFromSource),
    image: str(),
    imagePullPolicy: oneOf(["Always", "IfNotPresent", "Never"]),
    lifecycle: lifecycle,
    livenessProbe: probe,
    "name!": str("Name, unique in the pod."),
    ports: listBy(["containerPort", "protocol"], containerPort, undefined, { repeats: true }),
    readinessProbe: probe,
    resizePolicy: listOf(containerResizePolicy),
    resources: field(resourceRequirements, undefined, { default: {} }),
    restartPolicy: str(),
    restartPolicyRules: listOf(containerRestartRule),
    securityContext: securityContext,
    startupProbe: probe,
    stdin: bool(),
    stdinOnce: bool(),
    targetContainerName: str("Container whose processes it sees."),
    terminationMessagePath: str(undefined, { default: "/dev/termination-log" }),
    terminationMessagePolicy: oneOf(["File", "FallbackToLogsOnError"], undefined, { default: "File" }),
    tty: bool(),
    volumeDevices: listBy(["devicePath"], volumeDevice),
    volumeMounts: listBy(["mountPath"], volumeMount),
    workingDir: str(),
  },
);
