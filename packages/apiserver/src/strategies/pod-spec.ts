// Defaults and checks of Pod specs that depend on other fields: shared by Pods and the templates of workloads
// (pkg/apis/core/v1/defaults.go, pkg/apis/core/validation).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Container, PodSpec } from "@gatehouse/apimachinery/types/core-v1";
import { duplicate, invalidValue, required } from "../schema/field-cause.ts";

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const environmentName = /^[ -<>-~]+$/;
const environmentRule =
  "a valid environment variable name must consist only of printable ASCII characters other than '='";

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
export function validatePodSpec(spec: PodSpec, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (spec.containers.length === 0) causes.push(required(`${path}.containers`));
  const volumes = new Set<string>();
  for (const [index, { name }] of (spec.volumes ?? []).entries()) {
    const field = `${path}.volumes[${index}].name`;
    if (!label.test(name)) causes.push(invalidValue(field, name, labelRule));
    volumes.add(name);
  }
  const names = new Set<string>();
  for (const list of ["initContainers", "containers"] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const field = `${path}.${list}[${index}]`;
      if (names.has(container.name)) causes.push(duplicate(`${field}.name`, container.name));
      names.add(container.name);
      causes.push(...validateContainer(container, volumes, field));
    }
  }
  causes.push(...duplicateHostPorts(spec, path));
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  if (grace < 0)
    causes.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than or equal to 0"));
  return causes;
}

function validateContainer(container: Container, volumes: Set<string>, field: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!label.test(container.name)) {
    causes.push(invalidValue(`${field}.name`, container.name, labelRule));
  }
  if (!container.image) causes.push(required(`${field}.image`));
  else if (container.image !== container.image.trim()) {
    causes.push(invalidValue(`${field}.image`, container.image, "must not have leading or trailing whitespace"));
  }
  for (const [index, { name }] of (container.env ?? []).entries()) {
    if (!environmentName.test(name)) causes.push(invalidValue(`${field}.env[${index}].name`, name, environmentRule));
  }
  const portNames = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const at = `${field}.ports[${index}]`;
    if (!isPort(port.containerPort)) causes.push(portRange(`${at}.containerPort`, port.containerPort));
    if (port.hostPort !== undefined && port.hostPort !== 0 && !isPort(port.hostPort))
      causes.push(portRange(`${at}.hostPort`, port.hostPort));
    if (!port.name) continue;
    if (!/^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(port.name) || port.name.length > 15) {
      causes.push(
        invalidValue(
          `${at}.name`,
          port.name,
          "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), at least one letter, and no more than 15 characters",
        ),
      );
    }
    if (portNames.has(port.name)) causes.push(duplicate(`${at}.name`, port.name));
    portNames.add(port.name);
  }
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (volumes.has(mount.name)) continue;
    const message = `Not found: ${JSON.stringify(mount.name)}`;
    causes.push({ reason: "FieldValueNotFound", message, field: `${field}.volumeMounts[${index}].name` });
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

/** True for 1 to 65535. */
export function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;
}

export function portRange(field: string, value: unknown): StatusCause {
  return invalidValue(field, value, "must be between 1 and 65535, inclusive");
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
