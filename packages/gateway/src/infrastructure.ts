// What is created for a Gateway that names labels or annotations for its infrastructure (GatewayInfrastructure, GEP-1762): a
// Service, with the addresses behind it, that stands for the Gateway. Gateways that ask for nothing need no objects of their own.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import { serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { transportOf } from "./translate/entry-point-uses.ts";
import type { ProcessedGateway } from "./translate/gateways.ts";

/** GEP-1762. */
const gatewayNameLabel = "gateway.networking.k8s.io/gateway-name";
const gatewayClassLabel = "gateway.networking.k8s.io/gateway-class-name";
const sliceManagerLabel = "endpointslice.kubernetes.io/managed-by";
/** Says whose an object is, together with `manager`. */
export const managedByLabel = "app.kubernetes.io/managed-by";
export const manager = "gatehouse.dev-gateway";

/** The objects to be there for a Gateway, Service first; none for most. Pure. */
export function infrastructureOf(processed: ProcessedGateway): KubeObject[] {
  const { gateway, hosts } = processed;
  const { labels, annotations } = gateway.spec.infrastructure ?? {};
  if ((labels === undefined && annotations === undefined) || hosts.length === 0) return [];
  const name = serviceNameOf(gateway);
  const ports = portsOf(processed);
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(gateway, name, {}),
    spec: {
      clusterIP: "None",
      ports: ports.map(({ name: port, number, protocol }) => ({ name: port, port: number, protocol })),
    },
  };
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: metadataOf(gateway, name, { [serviceNameLabel]: name, [sliceManagerLabel]: manager }),
    addressType: "IPv4",
    ports: ports.map(({ name: port, number, protocol }) => ({ name: port, port: number, protocol })),
    endpoints: [{ addresses: [...hosts], conditions: { ready: true } }],
  };
  return [service, slice];
}

/** `gateway-class`, cut to what a Service may be called. */
function serviceNameOf({ metadata, spec }: Gateway): string {
  return `${metadata.name}-${spec.gatewayClassName}`.replaceAll(".", "-").slice(0, 63).replace(/-+$/, "");
}

function metadataOf(gateway: Gateway, name: string, own: Record<string, string>): KubeObject["metadata"] {
  const { labels, annotations } = gateway.spec.infrastructure ?? {};
  const { metadata, apiVersion, kind, spec } = gateway;
  return {
    name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    labels: {
      ...labels,
      [gatewayNameLabel]: metadata.name,
      [gatewayClassLabel]: spec.gatewayClassName,
      [managedByLabel]: manager,
      ...own,
    },
    ...(annotations ? { annotations: { ...annotations } } : {}),
    ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true }],
  };
}

interface Port {
  name: string;
  number: number;
  protocol: "TCP" | "UDP";
}

/** Each port once, in order. */
function portsOf({ listeners, listenerSets }: ProcessedGateway): Port[] {
  const all = [...listeners, ...listenerSets.flatMap((set) => set.listeners)].filter(({ routable }) => routable);
  const ports = all.map(({ spec }): Port => {
    const transport = transportOf(spec.protocol);
    return { name: `${transport}-${spec.port}`, number: spec.port, protocol: transport === "udp" ? "UDP" : "TCP" };
  });
  const byName = new Map(ports.map((port) => [port.name, port]));
  return [...byName.values()].sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
}
