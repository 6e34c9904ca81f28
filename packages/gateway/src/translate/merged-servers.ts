// The servers of an entrypoint that several Gateways share. Where one Gateway has a more specific listener than another, the
// other's closest still serves what it has for those hosts, as Traefik merges them.

import { difference } from "@gatehouse/proxy/match/difference";
import type { Route, VirtualHost, VirtualServer } from "@gatehouse/proxy/routing-table";
import { HostList } from "./host-list.ts";
import { compareHostnames, covers, overlap } from "./hostnames.ts";
import { sized } from "./sized-list.ts";

/** Merges again and again what changes little: parts that stay the same objects are not looked into, and what comes of them
 * stays the same too. */
export class MergedServers {
  readonly #servers = new Map<string, MergedServer>();

  /** The servers of each Gateway, the most specific of each first. */
  merge(gateways: readonly (readonly VirtualServer[])[]): VirtualServer[] {
    const names = new Set(gateways.flatMap((servers) => servers.map(({ hostname }) => hostname)));
    for (const name of this.#servers.keys()) if (!names.has(name)) this.#servers.delete(name);
    return [...names].sort(compareHostnames).map((hostname) => {
      const closest = gateways.flatMap((servers) => servers.find((server) => covers(server.hostname, hostname)) ?? []);
      const merged = this.#servers.get(hostname) ?? new MergedServer(hostname);
      this.#servers.set(hostname, merged);
      return merged.update(closest.map(({ virtualHosts }) => virtualHosts));
    });
  }
}

class MergedServer {
  readonly #hostname: string;
  #sources: readonly (readonly VirtualHost[])[] = [];
  /** By name, the virtual host of each source. */
  readonly #parts = new Map<string, (VirtualHost | undefined)[]>();
  readonly #merged = new HostList<VirtualHost>();
  #server: VirtualServer;

  constructor(hostname: string) {
    this.#hostname = hostname;
    this.#server = { hostname, virtualHosts: [] };
  }

  update(sources: readonly (readonly VirtualHost[])[]): VirtualServer {
    const changed = new Set<string>();
    const count = Math.max(sources.length, this.#sources.length);
    for (let source = 0; source < count; source++) {
      for (const [name, host] of differences(this.#sources[source] ?? [], sources[source] ?? [])) {
        if (!overlap(name, this.#hostname)) continue;
        const parts = this.#parts.get(name) ?? [];
        parts[source] = host;
        this.#parts.set(name, sized(parts));
        changed.add(name);
      }
    }
    this.#sources = sources;
    if (changed.size === 0) return this.#server;
    this.#merged.update([...changed].map((name) => [name, this.#mergeHost(name)]));
    if (this.#merged.sorted !== this.#server.virtualHosts) {
      this.#server = { hostname: this.#hostname, virtualHosts: this.#merged.sorted };
    }
    return this.#server;
  }

  #mergeHost(hostname: string): VirtualHost | undefined {
    const parts = (this.#parts.get(hostname) ?? []).filter((part) => part !== undefined);
    if (parts.length === 0) this.#parts.delete(hostname);
    if (parts.length <= 1) return parts[0];
    // A route that several of these Gateways serve is there once, as the oldest serves it.
    const routes = new Map<string, Route>();
    for (const route of parts.flatMap((part) => part.routes)) if (!routes.has(route.id)) routes.set(route.id, route);
    return { hostname, routes: [...routes.values()].sort((a, b) => a.order - b.order) };
  }
}

/** Hosts that are not the same object in both lists, by name, as they are in `after`. */
function differences(
  before: readonly VirtualHost[],
  after: readonly VirtualHost[],
): Map<string, VirtualHost | undefined> {
  if (before === after) return new Map();
  const { removed, added } = difference(before, after);
  return new Map([
    ...removed.map(({ hostname }): [string, undefined] => [hostname, undefined]),
    ...added.map((host): [string, VirtualHost] => [host.hostname, host]),
  ]);
}
