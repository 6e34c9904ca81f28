// Backends -> the proxy's services: the ready endpoints of a Service's port, and how to speak to them. There is no kube-proxy
// in the way: the proxy dials the pods, as Traefik does.

import type { ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { Endpoint, Service as ProxyService } from "@gatehouse/proxy/routing-table";
import { backendTls } from "./backend-tls-policies.ts";
import { retryBudgetOf } from "./backend-traffic-policies.ts";
import { type Backend, portOf } from "./backends.ts";
import { externalEndpoints, externalTls } from "./external-backends.ts";
import type { ObjectIndex } from "./gateway-objects.ts";

/** The service behind a backend that resolved. */
export function buildService(backend: Backend, index: ObjectIndex): ProxyService {
  const { id, kind, namespace, name, protocol, clientCertificate } = backend;
  const { endpoints, tls } = kind === "XBackend" ? external(backend, index) : internal(backend, index);
  const secured = backend.tls && tls && !("problem" in tls) ? { ...identity(clientCertificate), ...tls } : undefined;
  const retryBudget = kind === "Service" ? retryBudgetOf(namespace, name, index) : undefined;
  return {
    id,
    protocol,
    endpoints,
    ...(secured ? { tls: secured } : {}),
    ...(retryBudget ? { retryBudget } : {}),
  };
}

interface Behind {
  endpoints: Endpoint[];
  tls?: ReturnType<typeof backendTls>;
}

function internal({ namespace, name, port: number }: Backend, index: ObjectIndex): Behind {
  const service = index.service(namespace, name);
  const port = service && portOf(service, number);
  if (!port) return { endpoints: [] };
  const tls = backendTls(service, port, index);
  return { endpoints: readyEndpoints(index.endpointSlices(namespace, name), port), ...(tls ? { tls } : {}) };
}

function external({ namespace, name }: Backend, index: ObjectIndex): Behind {
  const object = index.xBackend(namespace, name);
  if (!object) return { endpoints: [] };
  const tls = externalTls(object, index);
  return { endpoints: externalEndpoints(object), ...(tls ? { tls } : {}) };
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
