// Attached routes -> servers and their virtual hosts. Within a Gateway a host belongs to its most specific listener and to no
// other ("listener isolation"); Gateways that share an entrypoint are merged there, as Traefik does.

import type { Route, VirtualHost, VirtualServer } from "@gatehouse/proxy/routing-table";
import { compareSpecificity, covers } from "./hostnames.ts";
import type { AttachedListener } from "./attached-listeners.ts";

/** The listener of a Gateway's port to which a host belongs: the most specific. */
export function ownerOf(host: string, group: readonly AttachedListener[]): AttachedListener | undefined {
  let owner: AttachedListener | undefined;
  for (const each of group) {
    const { hostname } = each.listener;
    if (!covers(hostname, host)) continue;
    if (!owner || compareSpecificity(hostname, owner.listener.hostname) < 0) owner = each;
  }
  return owner;
}

/** The servers of one Gateway's listeners of one port. A host that a more specific listener owns is in that server only; one of
 * a TLS listener is in none, but other listeners' requests for it are not theirs. */
export function isolateListeners(group: readonly AttachedListener[]): VirtualServer[] {
  const bySpecificity = group.toSorted((a, b) => compareSpecificity(a.listener.hostname, b.listener.hostname));
  return bySpecificity.map((each) => ({
    hostname: each.listener.hostname,
    virtualHosts: virtualHosts(
      each.routes.flatMap(({ hostnames, served }) =>
        served.routes.length === 0
          ? []
          : hostnames
              .filter((host) => ownerOf(host, bySpecificity) === each)
              .map((hostname) => ({ hostname, routes: served.routes })),
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
