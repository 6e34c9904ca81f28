// Checks of one container: ports, variables, mounts, probes (pkg/apis/core/validation validateContainerCommon).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Container, ContainerPort, EnvVar, PodSpec, Volume } from "@gatehouse/apimachinery/types/core-v1";
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundField,
  notSupported,
  required,
} from "../schema/field-cause.ts";
import { dataKeyFaults, isPort, labelFaults, nameCauses, portNameFaults, portRule, subdomainFaults } from "./names.ts";
import { lifecycleCauses, probeCauses } from "./probe.ts";
import { resourceCauses } from "./resource-requirements.ts";

const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Causes for the containers of `list` in `spec`; names of the other list must not come again among init containers. */
export function containerCauses(spec: PodSpec, list: "containers" | "initContainers", path: string): StatusCause[] {
  const isInit = list === "initContainers";
  const names = new Set(isInit ? spec.containers.map(({ name }) => name) : []);
  const volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  const causes: StatusCause[] = [];
  for (const [index, container] of (spec[list] ?? []).entries()) {
    const field = `${path}.${list}[${index}]`;
    causes.push(...commonCauses(container, volumes, spec.hostNetwork === true, field));
    if (names.has(container.name)) causes.push(duplicate(`${field}.name`, container.name));
    names.add(container.name);
    if (isInit && container.restartPolicy !== "Always") causes.push(...initCauses(container, field));
    else causes.push(...lastingCauses(container, field));
    if (!isInit && container.restartPolicy) {
      causes.push(forbiddenField(`${field}.restartPolicy`, "may not be set for non-init containers"));
    }
  }
  return causes;
}

function commonCauses(
  container: Container,
  volumes: Map<string, Volume>,
  hostNetwork: boolean,
  field: string,
): StatusCause[] {
  const { name, image, ports = [], env = [] } = container;
  const causes = name ? nameCauses(`${field}.name`, name, labelFaults) : [required(`${field}.name`)];
  if (!image) causes.push(required(`${field}.image`));
  else if (image !== image.trim()) {
    causes.push(invalidValue(`${field}.image`, image, "must not have leading or trailing whitespace"));
  }
  causes.push(...portCauses(ports, hostNetwork, `${field}.ports`));
  env.forEach((variable, index) => causes.push(...variableCauses(variable, `${field}.env[${index}]`)));
  causes.push(
    ...sourceCauses(container, `${field}.envFrom`),
    ...mountCauses(container, volumes, `${field}.volumeMounts`),
  );
  causes.push(...resourceCauses(container.resources, `${field}.resources`));
  return causes;
}

function initCauses(container: Container, field: string): StatusCause[] {
  const fields = ["lifecycle", ...probes] as const;
  return fields
    .filter((name) => container[name] !== undefined)
    .map((name) =>
      forbiddenField(`${field}.${name}`, "may not be set for init containers without restartPolicy=Always"),
    );
}

function lastingCauses(container: Container, field: string): StatusCause[] {
  const causes = lifecycleCauses(container.lifecycle, `${field}.lifecycle`);
  for (const name of probes) causes.push(...probeCauses(container[name], name, `${field}.${name}`));
  return causes;
}

function portCauses(ports: ContainerPort[], hostNetwork: boolean, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort }] of ports.entries()) {
    const field = `${path}[${index}]`;
    if (name) {
      causes.push(...nameCauses(`${field}.name`, name, portNameFaults));
      if (names.has(name)) causes.push(duplicate(`${field}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) causes.push(required(`${field}.containerPort`));
    else if (!isPort(containerPort)) causes.push(invalidValue(`${field}.containerPort`, containerPort, portRule));
    if (hostPort && !isPort(hostPort)) causes.push(invalidValue(`${field}.hostPort`, hostPort, portRule));
    if (hostNetwork && hostPort !== containerPort) {
      const detail = "must match `hostPort` when `hostNetwork` is true";
      causes.push(invalidValue(`${field}.containerPort`, containerPort, detail));
    }
  }
  return causes;
}

const fieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const resourceNames = ["cpu", "ephemeral-storage", "memory"];
const resourcePaths = ["limits", "requests"].flatMap((kind) => resourceNames.map((name) => `${kind}.${name}`));

function variableCauses({ name, value, valueFrom }: EnvVar, field: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!name) causes.push(required(`${field}.name`));
  else if (!/^[ -<>-~]+$/.test(name)) {
    const rule = "a valid environment variable name must consist only of printable ASCII characters other than '='";
    causes.push(invalidValue(`${field}.name`, name, rule));
  }
  if (!valueFrom) return causes;
  const at = `${field}.valueFrom`;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef) causes.push(...fieldPathCauses(fieldRef.fieldPath, `${at}.fieldRef`));
  if (resourceFieldRef && !isResourcePath(resourceFieldRef.resource)) {
    causes.push(notSupported(`${at}.resourceFieldRef.resource`, resourceFieldRef.resource, resourcePaths));
  }
  for (const [kind, reference] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (!reference) continue;
    causes.push(...nameCauses(`${at}.${kind}.name`, reference.name, subdomainFaults));
    if (!reference.key) causes.push(required(`${at}.${kind}.key`));
    else causes.push(...nameCauses(`${at}.${kind}.key`, reference.key, dataKeyFaults));
  }
  const sources = Object.values(valueFrom).filter((source) => source !== undefined).length;
  if (sources === 0) {
    const detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
    causes.push(invalidValue(at, "", detail));
  } else if (value) causes.push(invalidValue(at, "", "may not be specified when `value` is not empty"));
  else if (sources > 1) causes.push(invalidValue(at, "", "may not have more than one field specified at a time"));
  return causes;
}

const isResourcePath = (path: string): boolean =>
  resourcePaths.includes(path) || /^(limits|requests)\.hugepages-/.test(path);

function fieldPathCauses(path: string, field: string): StatusCause[] {
  if (!path) return [required(`${field}.fieldPath`)];
  if (fieldPaths.includes(path) || /^metadata\.(annotations|labels)\['[^']+'\]$/.test(path)) return [];
  if (path === "metadata.annotations" || path === "metadata.labels") {
    return [notSupported(`${field}.fieldPath`, path, fieldPaths)];
  }
  return [invalidValue(`${field}.fieldPath`, path, `error converting fieldPath: field label not supported: ${path}`)];
}

function sourceCauses({ envFrom = [] }: Container, path: string): StatusCause[] {
  return envFrom.flatMap(({ configMapRef, secretRef }, index) => {
    const field = `${path}[${index}]`;
    const references = Object.entries({ configMapRef, secretRef }).filter(([, reference]) => reference !== undefined);
    const causes = references.flatMap(([kind, reference]) =>
      reference?.name
        ? nameCauses(`${field}.${kind}.name`, reference.name, subdomainFaults)
        : [required(`${field}.${kind}.name`)],
    );
    if (references.length === 0) {
      causes.push(invalidValue(path, "", "must specify one of: `configMapRef` or `secretRef`"));
    } else if (references.length > 1) {
      causes.push(invalidValue(path, "", "may not have more than one field specified at a time"));
    }
    return causes;
  });
}

function mountCauses({ volumeMounts = [] }: Container, volumes: Map<string, Volume>, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const paths = new Set<string>();
  for (const [index, { name, mountPath, subPath }] of volumeMounts.entries()) {
    const field = `${path}[${index}]`;
    if (!name) causes.push(required(`${field}.name`));
    if (!volumes.has(name)) causes.push(notFoundField(`${field}.name`, name));
    if (!mountPath) causes.push(required(`${field}.mountPath`));
    if (paths.has(mountPath)) causes.push(invalidValue(`${field}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
    // The missing index is Kubernetes' own.
    if (subPath?.startsWith("/")) causes.push(invalidValue(`${path}.subPath`, subPath, "must be a relative path"));
    if (subPath?.split("/").includes(".."))
      causes.push(invalidValue(`${path}.subPath`, subPath, "must not contain '..'"));
  }
  return causes;
}
