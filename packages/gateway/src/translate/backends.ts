// backendRefs -> the proxy's services: Service -> port -> ready endpoints of its EndpointSlices. There is no kube-proxy
// in the way: the proxy dials the pods, as Traefik does.

import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { Endpoint, Service as ProxyService } from "@gatehouse/proxy/routing-table";
import type { HTTPBackendRef } from "@gatehouse/gateway-api/http-route";
import type { ObjectIndex } from "./gateway-objects.ts";
import { listOf, type ReferenceProblem } from "./problems.ts";
import { grantToCreate, isReferencePermitted } from "./reference-grants.ts";

/** Where a backendRef stands: the route's kind and namespace, and the reference's path in it for messages. */
export interface BackendContext {
  kind: string;
  namespace: string;
  ruleIndex: number;
  backendIndex: number;
}

/** The service behind a backendRef, or why there is none (HTTPBackendRef: when a reference is invalid). */
export function resolveBackend(
  ref: HTTPBackendRef,
  context: BackendContext,
  index: ObjectIndex,
): ProxyService | ReferenceProblem {
  const at = `backendRefs[${context.backendIndex}]`;
  const of = `of rule ${context.ruleIndex}`;
  const kind = ref.kind ?? "Service";
  if ((ref.group ?? "") !== "" || kind !== "Service") {
    const what = ref.group ? `${kind}.${ref.group}` : kind;
    return problem("InvalidKind", `${at} ${of} refers to kind ${what}, which is not supported: refer to a Service`);
  }
  const namespace = ref.namespace ?? context.namespace;
  const reference = {
    from: { kind: context.kind, namespace: context.namespace },
    to: { kind, namespace, name: ref.name },
  };
  if (!isReferencePermitted(reference, index)) {
    const what = `Service "${ref.name}" in namespace "${namespace}" may not be used from namespace "${context.namespace}"`;
    return problem("RefNotPermitted", `${what} (${at} ${of}): ${grantToCreate(reference)}`);
  }
  const service = index.service(namespace, ref.name);
  if (!service) {
    const what = `Service "${ref.name}" not found in namespace "${namespace}"`;
    return problem("BackendNotFound", `${what}: create it or correct ${at}.name ${of}`);
  }
  return resolvePort(service, ref.port, `${at}.port ${of}`, index);
}

function resolvePort(
  service: Service,
  number: number | undefined,
  field: string,
  index: ObjectIndex,
): ProxyService | ReferenceProblem {
  const { name, namespace = "" } = service.metadata;
  if (service.spec.type === "ExternalName") {
    const remedy = "use a Service with a selector or with EndpointSlices of its own";
    return problem("InvalidKind", `Service "${name}" is of type ExternalName, which is not supported: ${remedy}`);
  }
  const ports = service.spec.ports ?? [];
  const port = ports.find((candidate) => candidate.port === number);
  if (!port) {
    const has = `its ports are ${listOf(ports.map(describePort))}`;
    const message =
      number === undefined
        ? `${field} is missing; ${has} on Service "${name}"`
        : `Service "${name}" has no port ${number}; ${has}: correct ${field}`;
    return problem("BackendNotFound", message);
  }
  const protocol = protocolOf(port);
  if (typeof protocol !== "string") return { ...protocol, message: `${protocol.message} (Service "${name}")` };
  return {
    id: `${namespace}/${name}:${port.port}`,
    protocol,
    endpoints: readyEndpoints(index.endpointSlices(namespace, name), port),
  };
}

const describePort = (port: ServicePort): string => (port.name ? `${port.port} (${port.name})` : String(port.port));

/** Of KEP-3726's names those that the proxy can speak. An absent appProtocol is plain HTTP/1.1. */
const protocols = new Map<string, ProxyService["protocol"]>([
  ["http", "http"],
  ["kubernetes.io/ws", "http"],
]);

function protocolOf(port: ServicePort): ProxyService["protocol"] | ReferenceProblem {
  if (port.protocol && port.protocol !== "TCP") {
    return problem("UnsupportedProtocol", `port ${describePort(port)} is ${port.protocol}: HTTP needs a TCP port`);
  }
  const appProtocol = port.appProtocol ?? "http";
  return (
    protocols.get(appProtocol.toLowerCase()) ??
    problem(
      "UnsupportedProtocol",
      `appProtocol "${appProtocol}" of port ${describePort(port)} is not supported: ` +
        `remove it or use ${[...protocols.keys()].join(" or ")}`,
    )
  );
}

/**
 * Addresses that take requests on this port, in address order, each once. Ready ones; when there are none, those that
 * still serve while they terminate (KEP-1669), so that a rollout of a single pod does not drop requests.
 */
function readyEndpoints(slices: readonly EndpointSlice[], port: ServicePort): Endpoint[] {
  const known = endpointsOf(slices, port);
  const ready = known.filter(({ state }) => state === "ready");
  const chosen = ready.length > 0 ? ready : known.filter(({ state }) => state === "draining");
  return chosen.map(({ endpoint }) => endpoint);
}

export interface KnownEndpoint {
  endpoint: Endpoint;
  state: "ready" | "draining" | "down";
}

/** Every address of a Service's port, in address order, each once and at its best state. */
export function endpointsOf(slices: readonly EndpointSlice[], port: ServicePort): KnownEndpoint[] {
  const known = new Map<string, KnownEndpoint>();
  for (const slice of slices) {
    if (slice.addressType === "FQDN") continue;
    const number = slice.ports?.find((candidate) => (candidate.name ?? "") === (port.name ?? ""))?.port;
    if (number === undefined) continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      const host = addresses[0];
      if (host === undefined) continue;
      const endpoint = { host, port: number, ...(targetRef?.name ? { name: targetRef.name } : {}) };
      const draining = conditions?.serving === true && conditions.terminating === true;
      const state = conditions?.ready !== false ? "ready" : draining ? "draining" : "down";
      const key = `${host} ${number}`;
      if (known.get(key)?.state !== "ready") known.set(key, { endpoint, state });
    }
  }
  return [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

function problem(reason: ReferenceProblem["reason"], message: string): ReferenceProblem {
  return { reason, message };
}
