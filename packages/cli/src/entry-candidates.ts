// Every address by which HTTP might enter a cluster, best first, from what the cluster says of itself. Pure.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Node, Pod, Service } from "@gatehouse/apimachinery/types/core-v1";
import type { Gateway } from "@gatehouse/gateway-api/gateway";

export interface EntryCandidate {
  /** Address or name, IPv6 without brackets. */
  host: string;
  port: number;
  /** In words: `status address of Gateway traefik/web`. */
  how: string;
}

/** A Service before the gateway's pods, with the pods it selects. */
export interface FrontService {
  service: Service;
  pods: readonly Pod[];
}

export interface EntryFacts {
  /** The Gateway in question, or all of them. */
  gateways: readonly Gateway[];
  fronts: readonly FrontService[];
  nodes: readonly Node[];
  /** The port the listener names; undefined: any that leads to HTTP (or HTTPS). */
  listenerPort: number | undefined;
  scheme: "http" | "https";
}

/** In order: Gateway addresses, load balancers, node ports, host ports. No address twice. */
export function entryCandidates(facts: EntryFacts): EntryCandidate[] {
  const all = [
    ...facts.gateways.flatMap((gateway) => gatewayAddresses(gateway, facts)),
    ...facts.fronts.flatMap((front) => loadBalancers(front, facts)),
    ...facts.fronts.flatMap((front) => nodePorts(front, facts)),
    ...facts.fronts.flatMap((front) => hostPorts(front, facts)),
  ];
  const seen = new Set<string>();
  return all.filter(({ host, port }) => {
    const key = hostAndPort({ host, port });
    return host !== "" && !seen.has(key) && seen.add(key);
  });
}

/** The node's ports that a pod holds and that lead to the listener: what a port mapping of the node may serve. */
export function hostPortsOf(pods: readonly Pod[], listenerPort: number): number[] {
  const ports = pods.flatMap(({ spec }) => spec.containers.flatMap((container) => container.ports ?? []));
  return ports.flatMap(({ containerPort, hostPort }) => (containerPort === listenerPort && hostPort ? [hostPort] : []));
}

/** `host:port`, with brackets around IPv6 (RFC 3986 section 3.2.2). */
export const hostAndPort = ({ host, port }: { host: string; port: number }): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

const wellKnownPort = (scheme: "http" | "https"): number => (scheme === "http" ? 80 : 443);

function gatewayAddresses(gateway: Gateway, facts: EntryFacts): EntryCandidate[] {
  const protocol = facts.scheme.toUpperCase();
  const listeners = (gateway.spec.listeners ?? []).filter((listener) => listener.protocol === protocol);
  const wanted = facts.listenerPort === undefined ? listeners.map(({ port }) => port) : [facts.listenerPort];
  const name = `${gateway.metadata.namespace}/${gateway.metadata.name}`;
  return (gateway.status?.addresses ?? []).flatMap(({ value }) => {
    // Traefik publishes its Service's address, whose port is not the listener's; others open the listener's port there.
    const services = facts.fronts.filter(({ service }) => addressesOf(service).includes(value));
    const ports = [...services.flatMap((front) => leadingPorts(front, wanted)).map(({ port }) => port), ...wanted];
    return [...new Set(ports)].map((port) => ({ host: value, port, how: `status address of Gateway ${name}` }));
  });
}

function loadBalancers(front: FrontService, facts: EntryFacts): EntryCandidate[] {
  const { service } = front;
  return ingressOf(service).flatMap((host) =>
    leadingPorts(front, wantedPorts(facts)).map(({ port }) => ({
      host,
      port,
      how: `load balancer of ${nameOf(service)}`,
    })),
  );
}

function nodePorts(front: FrontService, facts: EntryFacts): EntryCandidate[] {
  return leadingPorts(front, wantedPorts(facts)).flatMap(({ nodePort }) => {
    if (!nodePort) return [];
    const how = `node port of ${nameOf(front.service)}`;
    return facts.nodes.flatMap(nodeAddresses).map((host) => ({ host, port: nodePort, how }));
  });
}

function hostPorts(front: FrontService, facts: EntryFacts): EntryCandidate[] {
  const wanted = wantedPorts(facts);
  return front.pods.flatMap((pod) => {
    const node = facts.nodes.find(({ metadata }) => metadata.name === pod.spec.nodeName);
    const hosts = [...(node ? nodeAddresses(node) : []), ...(pod.status?.hostIP ? [pod.status.hostIP] : [])];
    // A pod in the host's network opens its ports on the node as they are.
    const ports = wanted.flatMap((port) => (pod.spec.hostNetwork ? [port] : hostPortsOf([pod], port)));
    const how = `host port of Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    return [...new Set(hosts)].flatMap((host) => ports.map((port) => ({ host, port, how })));
  });
}

/** The ports that listeners name; with none to go by, those that the scheme's own port would lead to. */
function wantedPorts({ gateways, listenerPort, scheme }: EntryFacts): number[] {
  if (listenerPort !== undefined) return [listenerPort];
  const protocol = scheme.toUpperCase();
  const listeners = gateways.flatMap(({ spec }) => spec.listeners ?? []).filter((each) => each.protocol === protocol);
  return [...new Set([...listeners.map(({ port }) => port), wellKnownPort(scheme)])];
}

/** The Service's ports behind which one of these ports listens, by number or by the name of a container's port. */
function leadingPorts({ service, pods }: FrontService, wanted: readonly number[]) {
  return (service.spec.ports ?? []).filter(({ port, targetPort = port, protocol = "TCP" }) => {
    if (protocol !== "TCP") return false;
    if (typeof targetPort === "number" || /^\d+$/.test(targetPort)) {
      return wanted.includes(Number(targetPort)) || wanted.includes(port);
    }
    const named = pods
      .flatMap(({ spec }) => spec.containers.flatMap((container) => container.ports ?? []))
      .find(({ name }) => name === targetPort);
    return wanted.includes(port) || (named !== undefined && wanted.includes(named.containerPort));
  });
}

const ingressOf = (service: Service): string[] =>
  (service.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? "");

function addressesOf(service: Service): string[] {
  const { clusterIP, clusterIPs = [], externalIPs = [] } = service.spec;
  return [...ingressOf(service), ...externalIPs, ...clusterIPs, ...(clusterIP ? [clusterIP] : [])];
}

const addressOrder = ["ExternalIP", "ExternalDNS", "InternalIP", "InternalDNS"];

/** What others reach first; a node's Hostname is left out, as nothing says that it resolves here. */
function nodeAddresses(node: Node): string[] {
  const known = (node.status?.addresses ?? []).filter(({ type }) => addressOrder.includes(type));
  return known
    .sort((one, other) => addressOrder.indexOf(one.type) - addressOrder.indexOf(other.type))
    .map(({ address }) => address);
}

const nameOf = ({ metadata }: KubeObject): string => `Service ${metadata.namespace}/${metadata.name}`;
