// Write rules of Services: defaults, cluster IPs and node ports, and what may change after creation
// (pkg/registry/core/service, pkg/apis/core/validation ValidateService).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteContext, WriteStrategy } from "../resource-definition.ts";
import { duplicate, forbiddenField, invalidValue, required } from "../schema/field-cause.ts";
import { isPort, portRange } from "./pod-spec.ts";

export const serviceStrategy: WriteStrategy = {
  prepareForCreate: (object, context) => {
    const service = object as Service;
    service.spec ??= {};
    applyServiceDefaults(service);
    if (takesClusterIP(service)) setClusterIP(service, context.allocateClusterIP(service.spec.clusterIP || undefined));
    allocateNodePorts(service, undefined, context);
    service.status = { loadBalancer: {} };
  },
  prepareForUpdate: (object, old, context) => {
    const service = object as Service;
    service.spec ??= {};
    applyServiceDefaults(service);
    keepAllocations(service, old as Service, context);
    allocateNodePorts(service, old as Service, context);
  },
  validate: (object, old) => [
    ...portCauses(object as Service),
    ...typeCauses(object as Service),
    ...(old ? changeCauses(object as Service, old as Service) : []),
  ],
};

const takesNodePorts = ({ spec }: Service): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
const takesClusterIP = ({ spec }: Service): boolean => spec.type !== "ExternalName" && spec.clusterIP !== "None";

function applyServiceDefaults({ spec }: Service): void {
  for (const port of spec.ports ?? []) {
    port.protocol ??= "TCP";
    port.targetPort ||= port.port;
  }
  spec.type ??= "ClusterIP";
  spec.sessionAffinity ??= "None";
  if (spec.type === "ExternalName") return;
  // Either field alone speaks for both.
  const [first] = spec.clusterIPs ?? [];
  if (!spec.clusterIP && first) spec.clusterIP = first;
  if (spec.clusterIP === "None") spec.clusterIPs = ["None"];
  spec.ipFamilies ??= ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
  spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "NodePort" || spec.type === "LoadBalancer") spec.externalTrafficPolicy ??= "Cluster";
  else delete spec.externalTrafficPolicy;
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  else delete spec.allocateLoadBalancerNodePorts;
}

function setClusterIP(service: Service, address: string): void {
  service.spec.clusterIP = address;
  service.spec.clusterIPs = [address];
}

/** A PUT that leaves the address out keeps it; a change of type takes or releases one. */
function keepAllocations(service: Service, old: Service, context: WriteContext): void {
  const { spec } = service;
  if (spec.type === "ExternalName") {
    if (spec.clusterIP === old.spec.clusterIP) delete spec.clusterIP;
    for (const field of ["clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] as const)
      delete spec[field];
    return;
  }
  if (!spec.clusterIP && old.spec.clusterIP) setClusterIP(service, old.spec.clusterIP);
  else if (spec.clusterIP && spec.clusterIP !== "None") spec.clusterIPs = [spec.clusterIP];
  if (takesClusterIP(service) && !old.spec.clusterIP)
    setClusterIP(service, context.allocateClusterIP(spec.clusterIP || undefined));
}

function allocateNodePorts(service: Service, old: Service | undefined, context: WriteContext): void {
  const before = new Map((old?.spec.ports ?? []).map((port) => [portKey(port), port.nodePort]));
  const held = new Set(before.values());
  for (const port of service.spec.ports ?? []) {
    if (!takesNodePorts(service)) {
      // Left over from the type before rather than asked for.
      if (!port.nodePort || held.has(port.nodePort)) delete port.nodePort;
      continue;
    }
    const kept = before.get(portKey(port));
    if (!port.nodePort && kept) port.nodePort = kept;
    if (!port.nodePort || !held.has(port.nodePort))
      port.nodePort = context.allocateNodePort(port.nodePort || undefined);
  }
}

const portKey = (port: ServicePort): string => `${port.protocol ?? "TCP"}/${port.port}`;

function portCauses({ spec }: Service): StatusCause[] {
  const ports = spec.ports ?? [];
  const causes: StatusCause[] = [];
  if (ports.length === 0 && spec.type !== "ExternalName" && spec.clusterIP !== "None")
    causes.push(required("spec.ports"));
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    if (!port.name) {
      if (ports.length > 1) causes.push(required(`${field}.name`));
    } else {
      if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(port.name)) {
        causes.push(
          invalidValue(
            `${field}.name`,
            port.name,
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          ),
        );
      }
      if (names.has(port.name)) causes.push(duplicate(`${field}.name`, port.name));
      names.add(port.name);
    }
    if (!isPort(port.port)) causes.push(portRange(`${field}.port`, port.port));
    if (typeof port.targetPort === "number" && !isPort(port.targetPort))
      causes.push(portRange(`${field}.targetPort`, port.targetPort));
    if (port.nodePort && (spec.type === "ClusterIP" || spec.type === "ExternalName")) {
      causes.push(forbiddenField(`${field}.nodePort`, `may not be used when \`type\` is '${spec.type}'`));
    }
    if (seen.has(portKey(port))) causes.push(duplicate(field, port));
    seen.add(portKey(port));
  }
  return causes;
}

function typeCauses({ spec }: Service): StatusCause[] {
  if (spec.type === "ExternalName") {
    if (!spec.externalName) return [required("spec.externalName")];
    return spec.clusterIP ? [forbiddenField("spec.clusterIPs", "may not be set for ExternalName services")] : [];
  }
  if (spec.clusterIP === "None" && (spec.type === "NodePort" || spec.type === "LoadBalancer")) {
    return [invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`)];
  }
  return [];
}

function changeCauses({ spec }: Service, { spec: old }: Service): StatusCause[] {
  if (spec.type === "ExternalName" || old.type === "ExternalName" || !old.clusterIP || spec.clusterIP === old.clusterIP)
    return [];
  return [invalidValue("spec.clusterIPs[0]", spec.clusterIPs, "may not change once set")];
}
