// Which ports of the node a Service wants open. Pure.

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { LoadBalancerIngress, Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { PortMapping } from "../network/listen-plan.ts";

export interface Opening {
  /** On the node's address. */
  place: ListenAddress;
  /** On localhost, as the cluster maps this node port to the host; left alone when another has `place`. */
  mapped: ListenAddress[];
  /** What the port is for: the Service has an address only when all of its load balancer's are open. */
  use: "loadBalancer" | "nodePort";
  /** The name of the Service's port, "" for the only one. */
  portName: string;
}

export interface NodePlaces {
  nodeIP: string;
  portMappings: PortMapping[];
}

/** Empty for Services that are reached inside the cluster only. TCP only: see `unsupportedPorts`. */
export function openingsOf(service: Service, node: NodePlaces): Opening[] {
  return (service.spec.ports ?? [])
    .filter(isTcp)
    .flatMap((port) => [
      ...(hasOurBalancer(service) ? [opening(port, port.port, "loadBalancer", node)] : []),
      ...(hasNodePorts(service) && port.nodePort ? [opening(port, port.nodePort, "nodePort", node)] : []),
    ]);
}

/** Ports that are asked for outside the cluster and cannot be carried. */
export function unsupportedPorts(service: Service): ServicePort[] {
  if (!hasOurBalancer(service) && !hasNodePorts(service)) return [];
  return (service.spec.ports ?? []).filter((port) => !isTcp(port));
}

/** The ingress the status should say: undefined when that is another implementation's business. */
export function ingressOf(
  service: Service,
  openings: Opening[],
  isOpen: (opening: Opening) => boolean,
  nodeIP: string,
): LoadBalancerIngress[] | undefined {
  if (service.spec.type === "LoadBalancer" && service.spec.loadBalancerClass) return undefined;
  const balanced = openings.filter(({ use }) => use === "loadBalancer");
  // As the API server of 1.30 and later defaults it (KEP-1860).
  return balanced.length > 0 && balanced.every(isOpen) ? [{ ip: nodeIP, ipMode: "VIP" }] : [];
}

const isTcp = ({ protocol = "TCP" }: ServicePort): boolean => protocol === "TCP";
const hasOurBalancer = ({ spec }: Service): boolean => spec.type === "LoadBalancer" && !spec.loadBalancerClass;
const hasNodePorts = ({ spec }: Service): boolean => spec.type === "NodePort" || spec.type === "LoadBalancer";

function opening(
  { name = "" }: ServicePort,
  port: number,
  use: Opening["use"],
  { nodeIP, portMappings }: NodePlaces,
): Opening {
  const mapped = portMappings
    .filter(({ containerPort }) => containerPort === port)
    .flatMap(({ hostPort }) => [
      { host: "127.0.0.1", port: hostPort },
      { host: "::1", port: hostPort },
    ])
    .filter((place) => place.host !== nodeIP || place.port !== port);
  return { place: { host: nodeIP, port }, mapped, use, portName: name };
}
