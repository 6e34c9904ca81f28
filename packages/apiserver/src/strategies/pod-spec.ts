// Defaults and checks of Pod specs that depend on other fields: shared by Pods and the templates of workloads
// (pkg/apis/core/v1/defaults.go, pkg/apis/core/validation).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Container, PodSpec } from "@gatehouse/apimachinery/types/core-v1";
import { labelCauses } from "../metadata-rules.ts";
import { duplicate, invalidValue, required } from "../schema/field-cause.ts";
import { containerCauses } from "./container.ts";
import { addressFaults, labelFaults, nameCauses, subdomainFaults } from "./names.ts";
import { schedulingCauses } from "./scheduling.ts";
import { defaultVolume, volumeCauses } from "./volume.ts";

/** In place of a spec that was left out: in Go's types it is an empty one, whose faults are then named. */
export const noPodSpec = (): PodSpec => ({ containers: [] });

/** Completes a spec in place: pull policies, host ports, requests, both names of the ServiceAccount. */
export function defaultPodSpec(spec: PodSpec & { serviceAccount?: string }): void {
  for (const container of allContainers(spec)) {
    container.imagePullPolicy ??= isMoving(container.image ?? "") ? "Always" : "IfNotPresent";
    defaultRequests(container);
    if (!spec.hostNetwork) continue;
    for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  // Less than no time is a second, as in Kubernetes.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (!account) return;
  spec.serviceAccountName = account;
  spec.serviceAccount = account;
}

/** True for tags that may be moved: `latest`, or none. A digest pins the image. */
function isMoving(image: string): boolean {
  if (image.includes("@")) return false;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === "latest";
}

function defaultRequests({ resources }: Container): void {
  if (!resources?.limits) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

function allContainers(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Causes under `path`, e.g. `spec` or `spec.template.spec`. */
export function validatePodSpec(spec: PodSpec & { activeDeadlineSeconds?: number }, path: string): StatusCause[] {
  const causes = volumeCauses(spec.volumes ?? [], `${path}.volumes`);
  if (spec.containers.length === 0) causes.push(required(`${path}.containers`));
  causes.push(...containerCauses(spec, "containers", path), ...duplicateHostPorts(spec, path));
  causes.push(...containerCauses(spec, "initContainers", path));
  causes.push(...labelCauses(spec.nodeSelector ?? {}, `${path}.nodeSelector`), ...ownNameCauses(spec, path));
  causes.push(...schedulingCauses(spec, path), ...hostCauses(spec, path));
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > maxDeadline)) {
    const detail = `must be between 1 and ${maxDeadline}, inclusive`;
    causes.push(invalidValue(`${path}.activeDeadlineSeconds`, deadline, detail));
  }
  return causes;
}

const maxDeadline = 2 ** 31 - 1;

function ownNameCauses(spec: PodSpec, path: string): StatusCause[] {
  const { hostname, subdomain, serviceAccountName, nodeName } = spec;
  return [
    ...(hostname ? nameCauses(`${path}.hostname`, hostname, labelFaults) : []),
    ...(subdomain ? nameCauses(`${path}.subdomain`, subdomain, labelFaults) : []),
    ...(serviceAccountName ? nameCauses(`${path}.serviceAccountName`, serviceAccountName, subdomainFaults) : []),
    ...(nodeName ? nameCauses(`${path}.nodeName`, nodeName, subdomainFaults) : []),
  ];
}

interface HostSettings {
  hostAliases?: { ip?: string; hostnames?: string[] }[];
  hostNetwork?: boolean;
  securityContext?: { sysctls?: { name?: string }[] };
}

const sysctlName = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlRule =
  "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

function hostCauses({ hostAliases = [], securityContext }: HostSettings, path: string): StatusCause[] {
  const causes = hostAliases.flatMap(({ ip = "", hostnames = [] }, index) => {
    const field = `${path}.hostAliases[${index}]`;
    return [
      ...nameCauses(`${field}.ip`, ip, addressFaults),
      ...hostnames.flatMap((name, at) => nameCauses(`${field}.hostnames[${at}]`, name, subdomainFaults)),
    ];
  });
  const names = new Set<string>();
  for (const [index, { name = "" }] of (securityContext?.sysctls ?? []).entries()) {
    const field = `${path}.securityContext.sysctls[${index}].name`;
    if (name === "") causes.push(required(field));
    else if (name.length > 253 || !sysctlName.test(name)) causes.push(invalidValue(field, name, sysctlRule));
    else if (names.has(name)) causes.push(duplicate(field, name));
    names.add(name);
  }
  return causes;
}

function duplicateHostPorts(spec: PodSpec, path: string): StatusCause[] {
  const seen = new Set<string>();
  const causes: StatusCause[] = [];
  for (const [index, container] of spec.containers.entries()) {
    for (const [at, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol ?? "TCP"}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (seen.has(key)) causes.push(duplicate(`${path}.containers[${index}].ports[${at}].hostPort`, port.hostPort));
      seen.add(key);
    }
  }
  return causes;
}

/** The quality-of-service class that follows from requests and limits (core/v1 helper/qos). */
export function qosClassOf(spec: PodSpec): "BestEffort" | "Burstable" | "Guaranteed" {
  const containers = allContainers(spec);
  const asks = containers.some(({ resources }) => hasAny(resources?.requests) || hasAny(resources?.limits));
  if (!asks) return "BestEffort";
  const guaranteed = containers.every(({ resources }) =>
    ["cpu", "memory"].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && resources?.requests?.[name] === limit;
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

function hasAny(quantities: Record<string, unknown> | undefined): boolean {
  return quantities !== undefined && ("cpu" in quantities || "memory" in quantities);
}
