// A Pod: where it runs, what each container is and does, and why it is not ready when it is not.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type {
  Container,
  ContainerState,
  ContainerStatus,
  EnvVar,
  Pod,
  Probe,
  Volume,
} from "@gatehouse/apimachinery/types/core-v1";
import { describeConditions, describeController } from "./describe-parts.ts";
import type { DescribeWriter } from "./describe-writer.ts";

export function describePod(writer: DescribeWriter, object: KubeObject): void {
  const pod = object as Pod;
  const { spec, status = {}, metadata } = pod;
  writer.line(0, "Service Account:", spec.serviceAccountName ?? "default");
  writer.line(0, "Node:", spec.nodeName ? `${spec.nodeName}/${status.hostIP ?? ""}` : "<none>");
  writer.line(0, "Start Time:", status.startTime ?? "<unknown>");
  if (metadata.deletionTimestamp) {
    writer.line(0, "Status:", `Terminating (since ${metadata.deletionTimestamp})`);
    writer.line(0, "Termination Grace Period:", `${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else writer.line(0, "Status:", status.phase ?? "Pending");
  if (status.reason) writer.line(0, "Reason:", status.reason);
  if (status.message) writer.line(0, "Message:", status.message);
  writer.line(0, "IP:", status.podIP ?? "<none>");
  describeController(writer, pod);
  describeContainers(writer, "Init Containers", spec.initContainers ?? [], status.initContainerStatuses ?? []);
  describeContainers(writer, "Containers", spec.containers, status.containerStatuses ?? []);
  describeConditions(writer, 0, status.conditions);
  describeVolumes(writer, spec.volumes ?? []);
  writer.line(0, "QoS Class:", status.qosClass ?? "<none>");
}

/** Also used for pod templates, which have no statuses. */
export function describeContainers(
  writer: DescribeWriter,
  title: string,
  containers: readonly Container[],
  statuses?: readonly ContainerStatus[],
  level = 0,
): void {
  if (containers.length === 0) return;
  writer.line(level, `${title}:`);
  for (const container of containers) {
    writer.line(level + 1, `${container.name}:`);
    const status = statuses?.find(({ name }) => name === container.name);
    if (status?.containerID) writer.line(level + 2, "Container ID:", status.containerID);
    writer.line(level + 2, "Image:", container.image);
    describeDefinition(writer, level + 2, container);
    if (status) describeStatus(writer, level + 2, status);
    describeSurroundingsOf(writer, level + 2, container);
  }
}

function describeDefinition(writer: DescribeWriter, level: number, { ports = [], command, args }: Container): void {
  writer.line(
    level,
    "Ports:",
    ports.map(({ containerPort, protocol = "TCP" }) => `${containerPort}/${protocol}`).join(", ") || "<none>",
  );
  const hostPorts = ports
    .filter(({ hostPort }) => hostPort)
    .map(({ hostPort, protocol = "TCP" }) => `${hostPort}/${protocol}`);
  if (hostPorts.length > 0) writer.line(level, "Host Ports:", hostPorts.join(", "));
  for (const [title, words] of [
    ["Command", command],
    ["Args", args],
  ] as const) {
    if (!words?.length) continue;
    writer.line(level, `${title}:`);
    for (const word of words) writer.line(level + 1, word);
  }
}

function describeStatus(writer: DescribeWriter, level: number, status: ContainerStatus): void {
  describeState(writer, level, "State", status.state ?? { waiting: { reason: "" } });
  if (status.lastState && Object.keys(status.lastState).length > 0)
    describeState(writer, level, "Last State", status.lastState);
  writer.line(level, "Ready:", status.ready ? "True" : "False");
  writer.line(level, "Restart Count:", String(status.restartCount));
}

function describeState(
  writer: DescribeWriter,
  level: number,
  title: string,
  { running, waiting, terminated }: ContainerState,
): void {
  const details = (fields: [string, string | number | undefined][]): void => {
    for (const [name, value] of fields)
      if (value !== undefined && value !== "") writer.line(level + 1, `${name}:`, String(value));
  };
  if (running) {
    writer.line(level, `${title}:`, "Running");
    details([["Started", running.startedAt]]);
  } else if (terminated) {
    writer.line(level, `${title}:`, "Terminated");
    const { reason, message, exitCode, signal, startedAt, finishedAt } = terminated;
    details([
      ["Reason", reason],
      ["Message", message],
      ["Exit Code", exitCode],
      ["Signal", signal],
      ["Started", startedAt],
      ["Finished", finishedAt],
    ]);
  } else {
    writer.line(level, `${title}:`, "Waiting");
    details([
      ["Reason", waiting?.reason],
      ["Message", waiting?.message],
    ]);
  }
}

function describeSurroundingsOf(writer: DescribeWriter, level: number, container: Container): void {
  for (const [title, probe] of [
    ["Liveness", container.livenessProbe],
    ["Readiness", container.readinessProbe],
    ["Startup", container.startupProbe],
  ] as const) {
    if (probe) writer.line(level, `${title}:`, probeText(probe));
  }
  writer.list(level, "Environment", (container.env ?? []).map(envText));
  const mounts = container.volumeMounts ?? [];
  writer.list(
    level,
    "Mounts",
    mounts.map(({ name, mountPath, readOnly }) => `${mountPath} from ${name} (${readOnly ? "ro" : "rw"})`),
  );
}

function probeText(probe: Probe): string {
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 1,
    periodSeconds = 10,
    successThreshold = 1,
    failureThreshold = 3,
  } = probe;
  const timing = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
  return `${handlerText(probe)} ${timing}`;
}

function handlerText({ httpGet, tcpSocket, exec, grpc }: Probe): string {
  if (httpGet)
    return `http-get ${(httpGet.scheme ?? "HTTP").toLowerCase()}://${httpGet.host ?? ""}:${httpGet.port}${httpGet.path ?? "/"}`;
  if (tcpSocket) return `tcp-socket ${tcpSocket.host ?? ""}:${tcpSocket.port}`;
  if (grpc) return `grpc :${grpc.port} ${grpc.service ?? ""}`.trimEnd();
  return exec ? `exec [${(exec.command ?? []).join(" ")}]` : "unknown";
}

function envText({ name, value, valueFrom }: EnvVar): string {
  const { fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef } = valueFrom ?? {};
  if (fieldRef) return `${name}: (${fieldRef.apiVersion ?? "v1"}:${fieldRef.fieldPath})`;
  if (secretKeyRef) return `${name}: <set to the key '${secretKeyRef.key}' in secret '${secretKeyRef.name}'>`;
  if (configMapKeyRef)
    return `${name}: <set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name}'>`;
  if (resourceFieldRef) return `${name}: (${resourceFieldRef.resource})`;
  return `${name}: ${value ?? ""}`;
}

function describeVolumes(writer: DescribeWriter, volumes: readonly Volume[]): void {
  writer.line(0, volumes.length > 0 ? "Volumes:" : "Volumes:  <none>");
  for (const { name, ...source } of volumes) {
    const [type = "unknown", settings] = Object.entries(source).find(([, value]) => value !== undefined) ?? [];
    const what = settings as { name?: string; secretName?: string; path?: string } | undefined;
    const detail = what?.name ?? what?.secretName ?? what?.path;
    writer.line(1, `${name}:`, detail === undefined ? type : `${type} ${detail}`);
  }
}
