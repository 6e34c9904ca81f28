// Traefik's services of all protocols: what routers send to, and the servers behind it.

import type { Endpoint } from "@gatehouse/proxy/routing-table";
import { ownName, providerName } from "./traefik-names.ts";
import type { ServerView, ServiceView } from "./traefik-view.ts";
import { endpointsOf, type KnownEndpoint } from "./translate/backend-services.ts";
import { type Backend, portOf } from "./translate/backends.ts";
import { externalEndpoints } from "./translate/external-backends.ts";
import type { ObjectIndex } from "./translate/gateway-objects.ts";

/** By name. */
export type ServiceViews = Map<string, ServiceView>;

/** `status`: what requests of this share are answered with, there being nobody to send them to. */
export interface Share {
  name: string;
  weight: number;
  status?: number;
}

/** The name of what the router sends to: a single service itself; for several, or none, a weighted one of the router's own. */
export function serviceOfShares(services: ServiceViews, router: string, shares: readonly Share[]): string {
  for (const { name, status } of shares) if (status === undefined) loadBalancer(services, name, router);
  const [only] = shares;
  if (only && shares.length === 1 && only.status === undefined) return only.name;
  const name = ownName(router, "wrr");
  services.set(name, {
    name,
    provider: providerName,
    type: "weighted",
    status: "enabled",
    usedBy: [router],
    weighted: { services: [...shares] },
  });
  return name;
}

/** The service of that name, which is one of servers, with `router` among its users. */
export function loadBalancer(services: ServiceViews, name: string, router: string): ServiceView {
  const view: ServiceView = services.get(name) ?? {
    name,
    provider: providerName,
    type: "loadbalancer",
    status: "enabled",
    usedBy: [],
  };
  if (!view.usedBy.includes(router)) view.usedBy.push(router);
  services.set(name, view);
  return view;
}

/** `backends` by the names of their services; those that no router uses are not shown. */
export function addServers(services: ServiceViews, backends: ReadonlyMap<string, Backend>, index: ObjectIndex): void {
  for (const [name, view] of services) {
    const backend = backends.get(name);
    if (backend) addServersOf(view, backend, knownEndpoints(backend, index));
  }
}

function addServersOf(view: ServiceView, backend: Backend, known: readonly KnownEndpoint[]): void {
  const { kind, namespace, name, port, protocol } = backend;
  const servers = known.map(({ endpoint, state }) => ({
    server: serverAt(endpoint, backend),
    pod: endpoint.name ?? "",
    state,
  }));
  view.loadBalancer = {
    servers: servers.map(({ server }) => server),
    ...(isStream(protocol) ? {} : { strategy: "wrr", passHostHeader: true }),
  };
  if (protocol !== "udp") {
    view.serverStatus = Object.fromEntries(
      servers.map(({ server, state }) => [
        "url" in server ? server.url : server.address,
        state === "down" ? "DOWN" : "UP",
      ]),
    );
  }
  const details = servers.map(({ server, pod, state }) => ({ ...server, pod, state }));
  view.gatehouse = { kind, namespace, name, port, servers: details };
  if (known.some(({ state }) => state !== "down")) return;
  view.status = "warning";
  view.error = [`${kind} "${name}" in namespace "${namespace}" has no ready endpoints: ${outcome(protocol)}`];
}

const isStream = (protocol: Backend["protocol"]): boolean => protocol === "tcp" || protocol === "udp";

const outcome = (protocol: Backend["protocol"]): string =>
  protocol === "udp"
    ? "datagrams are dropped"
    : protocol === "tcp"
      ? "connections are reset"
      : "requests are answered with 503";

function serverAt({ host, port }: Endpoint, { protocol, tls }: Backend): ServerView {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!isStream(protocol)) return { url: `${protocol}://${address}` };
  return { address, ...(tls ? { tls } : {}) };
}

function knownEndpoints({ kind, namespace, name, port: number }: Backend, index: ObjectIndex): KnownEndpoint[] {
  if (kind === "XBackend") {
    const object = index.xBackend(namespace, name);
    return (object ? externalEndpoints(object) : []).map((endpoint) => ({ endpoint, state: "ready" }));
  }
  const service = index.service(namespace, name);
  const port = service && portOf(service, number);
  return port ? endpointsOf(index.endpointSlices(namespace, name), port) : [];
}
