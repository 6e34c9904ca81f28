// Backends -> the proxy's services: the ready endpoints of a Service's port, and how to speak to them. There is no kube-proxy
// in the way: the proxy dials the pods, as Traefik does.

import type { ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { Endpoint, Service as ProxyService } from "@gatehouse/proxy/routing-table";
import { backendTls } from "./backend-tls-policies.ts";
import { type Backend, portOf } from "./backends.ts";
import type { ObjectIndex } from "./gateway-objects.ts";

/** The service behind a backend that resolved. */
export function buildService(backend: Backend, index: ObjectIndex): ProxyService {
  const { id, namespace, name, protocol, clientCertificate } = backend;
  const service = index.service(namespace, name);
  const port = service && portOf(service, backend.port);
  if (!port) return { id, protocol, endpoints: [] };
  const tls = backend.tls ? backendTls(service, port, index) : undefined;
  return {
    id,
    protocol,
    endpoints: readyEndpoints(index.endpointSlices(namespace, name), port),
    ...(tls && !("problem" in tls) ? { tls: { ...tls, ...identity(clientCertificate) } } : {}),
  };
}

const identity = (pair: Backend["clientCertificate"]) =>
  pair ? { certificate: pair.certificate, key: pair.key } : undefined;

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
