// Attached routes -> virtual hosts. Within a Gateway a host belongs to its most specific listener and to no other
// ("listener isolation"); Gateways that share an entrypoint are merged there, as Traefik does.

import type { Route, VirtualHost } from "@gatehouse/proxy/routing-table";
import { anyHost, compareSpecificity, covers } from "./hostnames.ts";

/** A listener with the routes it took, each for some hosts. */
export interface AttachedListener {
  hostname: string;
  routes: { hostnames: readonly string[]; routes: readonly Route[] }[];
}

/** Routes by host. A host with no routes shields its requests from less specific hosts. */
export type HostRoutes = ReadonlyMap<string, ReadonlySet<Route>>;

/** The hosts of one Gateway's listeners of one port. */
export function isolateListeners(listeners: readonly AttachedListener[]): HostRoutes {
  const bySpecificity = [...listeners].sort((a, b) => compareSpecificity(a.hostname, b.hostname));
  const hosts = new Map<string, Set<Route>>(bySpecificity.map(({ hostname }) => [hostname, new Set()]));
  for (const listener of listeners) {
    for (const { hostnames, routes } of listener.routes) {
      for (const host of hostnames) {
        const owner = bySpecificity.find((candidate) => covers(candidate.hostname, host));
        if (owner !== listener) continue;
        const present = hosts.get(host) ?? new Set();
        for (const route of routes) present.add(route);
        hosts.set(host, present);
      }
    }
  }
  return hosts;
}

/** The virtual hosts of a proxy listener that serves all `gateways`, the most specific first. */
export function mergeGateways(gateways: readonly HostRoutes[]): VirtualHost[] {
  const names = new Set(gateways.flatMap((hosts) => [...hosts.keys()]));
  return [...names]
    .sort((a, b) => compareSpecificity(a, b) || (a < b ? -1 : 1))
    .map((hostname) => ({ hostname, routes: routesFor(hostname, gateways) }))
    .filter(({ hostname, routes }) => routes.length > 0 || hostname !== anyHost);
}

/** Where one Gateway only shields a host, another that has less specific routes for it still serves them. */
function routesFor(hostname: string, gateways: readonly HostRoutes[]): Route[] {
  const direct = union(gateways.map((hosts) => hosts.get(hostname)));
  if (direct.length > 0) return direct;
  return union(gateways.filter((hosts) => !hosts.has(hostname)).map((hosts) => hosts.get(closest(hostname, hosts))));
}

function closest(hostname: string, hosts: HostRoutes): string {
  const covering = [...hosts.keys()].filter((candidate) => covers(candidate, hostname));
  return covering.sort(compareSpecificity)[0] ?? hostname;
}

function union(sets: readonly (ReadonlySet<Route> | undefined)[]): Route[] {
  return [...new Set(sets.flatMap((set) => (set ? [...set] : [])))].sort((a, b) => a.order - b.order);
}
