// Write rules of Services: defaults, cluster IPs and node ports (pkg/registry/core/service); the checks are in service-rules.ts.

import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteContext, WriteStrategy } from "../resource-definition.ts";
import { serviceCauses, serviceChangeCauses } from "./service-rules.ts";

export const serviceStrategy: WriteStrategy = {
  complete: (object) => complete(object as Service),
  prepareForCreate: (object, context) => {
    const service = object as Service;
    settleAddressing(service);
    // Addresses that do not fit together are for validation to refuse.
    if (takesClusterIP(service) && service.spec.clusterIP === (service.spec.clusterIPs ?? [])[0]) {
      setClusterIP(service, context.allocateClusterIP(service.spec.clusterIP || undefined));
    }
    allocateNodePorts(service, undefined, context);
    service.status = { loadBalancer: {} };
  },
  prepareForUpdate: (object, old, context) => {
    const service = object as Service;
    settleAddressing(service);
    keepAllocations(service, old as Service, context);
    allocateNodePorts(service, old as Service, context);
  },
  validate: (object, old) => [
    ...serviceCauses(object as Service),
    ...(old ? serviceChangeCauses(object as Service, old as Service) : []),
  ],
};

const usualAffinitySeconds = 10_800;

const takesNodePorts = ({ spec }: Service): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
const takesClusterIP = ({ spec }: Service): boolean => spec.type !== "ExternalName" && spec.clusterIP !== "None";

function complete(service: Service): void {
  const spec = (service.spec ??= {});
  for (const port of spec.ports ?? []) {
    port.protocol ??= "TCP";
    port.targetPort ||= port.port;
  }
  spec.type ??= "ClusterIP";
  spec.sessionAffinity ??= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === "ClientIP") {
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: usualAffinitySeconds, ...spec.sessionAffinityConfig?.clientIP },
    };
  }
  if (spec.type === "ExternalName") return;
  spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "NodePort" || spec.type === "LoadBalancer") spec.externalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

/** Families and addresses, and away with what goes with other types. */
function settleAddressing({ spec }: Service): void {
  if (spec.type === "ExternalName") return;
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  spec.ipFamilies ??= ["IPv4"];
  spec.ipFamilyPolicy ??= "SingleStack";
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") delete spec.externalTrafficPolicy;
  if (spec.type !== "LoadBalancer") delete spec.allocateLoadBalancerNodePorts;
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
  for (const [index, port] of (service.spec.ports ?? []).entries()) {
    if (!takesNodePorts(service)) {
      // Left over from the type before rather than asked for.
      if (!port.nodePort || held.has(port.nodePort)) delete port.nodePort;
      continue;
    }
    const kept = before.get(portKey(port));
    if (!port.nodePort && kept) port.nodePort = kept;
    if (!port.nodePort || !held.has(port.nodePort))
      port.nodePort = context.allocateNodePort(index, port.nodePort || undefined);
    // The same number may be had for another protocol.
    held.add(port.nodePort);
  }
}

const portKey = (port: ServicePort): string => `${port.protocol ?? "TCP"}/${port.port}`;
