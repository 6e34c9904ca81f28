// The virtual hosts of one server, by name, brought up to date from one table to the next.

import type { VirtualHost } from "../routing-table.ts";
import { difference } from "./difference.ts";
import { canonical, HostIndex } from "./hostname.ts";
import type { HostEntry } from "./hostname.ts";
import { PathIndex } from "./path-index.ts";
import type { RouteTargets } from "./path-index.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

export class HostTable<T> {
  readonly hosts = new HostIndex<PathIndex<T>>();
  #virtualHosts: readonly VirtualHost[] = [];

  /** Takes over `virtualHosts`, of which each has a name of its own. */
  update(virtualHosts: readonly VirtualHost[], targets: RouteTargets<T>): void {
    const { removed, added } = difference(this.#virtualHosts, virtualHosts);
    this.#virtualHosts = virtualHosts;
    const gone = new Set(removed.map(({ hostname }) => canonical(hostname)));
    for (const { hostname, routes } of added) {
      gone.delete(canonical(hostname));
      let paths = this.hosts.get(hostname);
      if (paths === undefined) this.hosts.set(hostname, (paths = new PathIndex()));
      paths.update(routes, targets);
    }
    for (const name of gone) {
      this.hosts.get(name)!.update([], targets);
      this.hosts.delete(name);
    }
  }

  /** The route in the most specific virtual host that fits `bareHost` and has one for the request; null when no virtual host
   * fits. */
  find(bareHost: string, request: MatchRequest): RouteEntry<T> | undefined | null {
    const mostSpecific = this.hosts.find(bareHost);
    if (mostSpecific === undefined) return null;
    let host: HostEntry<PathIndex<T>> | undefined = mostSpecific;
    while (host !== undefined) {
      const entry = host.value.find(request);
      if (entry !== undefined) return entry;
      host = this.hosts.widerThan(host);
    }
    return undefined;
  }
}
