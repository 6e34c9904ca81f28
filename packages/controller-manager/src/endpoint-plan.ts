// Which endpoints a Service has, grouped by the ports they are reached on. Pure.

import { portMapAnnotation } from "@gatehouse/apimachinery/pod-environment";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { Pod, Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { Endpoint, EndpointPort, EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import { isReady, isTerminal, isTerminating } from "./pod-state.ts";

/** Endpoints of one address family that are all reached on the same ports. */
export interface EndpointGroup {
  addressType: EndpointSlice["addressType"];
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

/** True for Services whose endpoints are ours to make. */
export function hasManagedEndpoints({ spec }: Service): boolean {
  return spec.type !== "ExternalName" && spec.selector !== undefined && Object.keys(spec.selector).length > 0;
}

/** The Service's endpoints, each pod once, in order of name. `candidates` are the pods of its namespace. */
export function endpointGroups(service: Service, candidates: Pod[]): EndpointGroup[] {
  const requirements = requirementsOf({ matchLabels: service.spec.selector ?? {} });
  const groups = new Map<string, EndpointGroup>();
  const selected = candidates
    .filter((pod) => pod.status?.podIP && !isTerminal(pod) && matchesLabels(requirements, pod.metadata.labels))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const pod of selected) {
    const ports = portsFor(service, pod);
    const addressType = pod.status?.podIP?.includes(":") ? "IPv6" : "IPv4";
    const key = groupKey(addressType, ports);
    const group = groups.get(key) ?? { addressType, ports, endpoints: [] };
    group.endpoints.push(endpointOf(service, pod));
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Slices with the same key may hold each other's endpoints. */
export function groupKey(addressType: string, ports: EndpointPort[]): string {
  const facts = ports.map(({ name = "", port, protocol = "TCP", appProtocol = "" }) => [
    name,
    port,
    protocol,
    appProtocol,
  ]);
  return JSON.stringify([addressType, facts.map((fact) => JSON.stringify(fact)).sort()]);
}

/** A service port whose named target the pod does not declare is left out for that pod. */
function portsFor(service: Service, pod: Pod): EndpointPort[] {
  const mapped = portMap(pod);
  return (service.spec.ports ?? []).flatMap((servicePort): EndpointPort[] => {
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    const target = targetPort(servicePort, pod);
    if (target === undefined) return [];
    const port = mapped[`${target}/${protocol.toLowerCase()}`] ?? target;
    return [{ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

function targetPort({ port, targetPort: target, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (typeof target !== "string") return target || port;
  const declared = pod.spec.containers
    .flatMap((container) => container.ports ?? [])
    .find((candidate) => candidate.name === target && (candidate.protocol ?? "TCP") === protocol);
  return declared?.containerPort;
}

/** What cannot be read maps nothing. */
function portMap(pod: Pod): Record<string, number> {
  const text = pod.metadata.annotations?.[portMapAnnotation];
  if (text === undefined) return {};
  try {
    return (JSON.parse(text) as Record<string, number> | null) ?? {};
  } catch {
    return {};
  }
}

/** Conditions as KEP-1672 defines them: `ready` is never true of a terminating pod, unless the Service publishes all. */
function endpointOf(service: Service, pod: Pod): Endpoint {
  const { name, namespace, uid } = pod.metadata;
  const { hostname, subdomain, nodeName } = pod.spec;
  const terminating = isTerminating(pod);
  const serving = isReady(pod);
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  return {
    addresses: [pod.status?.podIP ?? ""],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: "Pod", name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) },
  };
}
