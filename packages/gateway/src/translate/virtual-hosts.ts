// Attached routes -> servers and their virtual hosts. Within a Gateway a host belongs to its most specific listener and to no
// other ("listener isolation"); Gateways that share an entrypoint are merged there, as Traefik does.

import type { Route, VirtualHost, VirtualServer } from "@gatehouse/proxy/routing-table";
import { compareSpecificity, covers } from "./hostnames.ts";

/** A listener with the routes it took, each for some hosts. */
export interface AttachedListener {
  hostname: string;
  routes: { hostnames: readonly string[]; routes: readonly Route[] }[];
}

/** The servers of one Gateway's listeners of one port. A host that a more specific listener owns is in that server only. */
export function isolateListeners(listeners: readonly AttachedListener[]): VirtualServer[] {
  const bySpecificity = listeners.toSorted((a, b) => compareSpecificity(a.hostname, b.hostname));
  return bySpecificity.map((listener) => ({
    hostname: listener.hostname,
    virtualHosts: virtualHosts(
      listener.routes.flatMap(({ hostnames, routes }) =>
        hostnames
          .filter((host) => bySpecificity.find(({ hostname }) => covers(hostname, host)) === listener)
          .map((hostname) => ({ hostname, routes })),
      ),
    ),
  }));
}

/** The servers of a proxy listener that serves all `gateways`. Where one Gateway has a more specific listener than another, the
 * other's closest still serves what it has for those hosts. */
export function mergeGateways(gateways: readonly (readonly VirtualServer[])[]): VirtualServer[] {
  if (gateways.length === 1) return [...gateways[0]!];
  const names = new Set(gateways.flatMap((servers) => servers.map(({ hostname }) => hostname)));
  return [...names].sort(byName).map((hostname) => {
    const closest = gateways.flatMap(
      (servers) => servers.filter((server) => covers(server.hostname, hostname))[0] ?? [],
    );
    const hosts = closest.flatMap((server) => server.virtualHosts);
    const relevant = hosts.filter((host) => covers(hostname, host.hostname) || covers(host.hostname, hostname));
    return { hostname, virtualHosts: virtualHosts(relevant) };
  });
}

/** One per name, the most specific first, each route once and in order. */
function virtualHosts(parts: readonly { hostname: string; routes: readonly Route[] }[]): VirtualHost[] {
  const hosts = new Map<string, Set<Route>>();
  for (const { hostname, routes } of parts) {
    const present = hosts.get(hostname);
    if (present === undefined) hosts.set(hostname, new Set(routes));
    else for (const route of routes) present.add(route);
  }
  return [...hosts.keys()]
    .sort(byName)
    .map((hostname) => ({ hostname, routes: [...hosts.get(hostname)!].sort((a, b) => a.order - b.order) }));
}

function byName(a: string, b: string): number {
  return compareSpecificity(a, b) || (a < b ? -1 : 1);
}
