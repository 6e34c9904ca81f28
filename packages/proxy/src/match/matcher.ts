// From (host, method, path, headers, query) to a route: asked for every request and by explanations alike. Without I/O; a new
// table changes it in place, between two requests.

import type { VirtualServer } from "../routing-table.ts";
import { canonical, HostIndex } from "./hostname.ts";
import { HostTable } from "./host-table.ts";
import { readPath } from "./path.ts";
import type { RouteTargets } from "./path-index.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

/** Why no route was found. */
export type NoMatch =
  | "no-virtual-host"
  | "no-route"
  | "path-hides-dot-segments"
  | "path-ambiguous"
  | "misdirected-request";

export type MatchResult<T> = { entry: RouteEntry<T>; path: string } | { entry: null; why: NoMatch };

const NO_HOST = { entry: null, why: "no-virtual-host" } as const;
const NO_ROUTE = { entry: null, why: "no-route" } as const;
const HIDDEN = { entry: null, why: "path-hides-dot-segments" } as const;
const AMBIGUOUS = { entry: null, why: "path-ambiguous" } as const;
const MISDIRECTED = { entry: null, why: "misdirected-request" } as const;

let updates = 0;

export class Matcher<T> {
  /** Of this state of this matcher alone: what it found once it finds again while this is the same. */
  stamp = 0;
  readonly servers = new HostIndex<HostTable<T>>();
  readonly #sources = new Map<string, VirtualServer>();

  /** Takes over `servers`, of which each has a name of its own; what is the same object as before costs nothing. */
  update(servers: readonly VirtualServer[], targets: RouteTargets<T>): void {
    this.stamp = ++updates;
    const gone = new Set(this.#sources.keys());
    for (const server of servers) {
      const name = canonical(server.hostname);
      gone.delete(name);
      if (this.#sources.get(name) === server) continue;
      this.#sources.set(name, server);
      let table = this.servers.get(name);
      if (table === undefined) this.servers.set(name, (table = new HostTable()));
      table.update(server.virtualHosts, targets);
    }
    for (const name of gone) {
      this.servers.get(name)!.update([], targets);
      this.servers.delete(name);
      this.#sources.delete(name);
    }
  }

  /** Finds the route for a request whose `path` is as sent. On success `path` is what to forward. `serverName`: what the
   * client's TLS connection asked for, null without TLS or SNI. */
  find(host: string, request: MatchRequest, serverName: string | null = null): MatchResult<T> {
    const server = this.servers.find(host);
    if (serverName !== null && serverName !== host && this.servers.find(serverName) !== server) return MISDIRECTED;
    if (server === undefined) return NO_HOST;
    const hosts = server.value;
    if (request.path === "*") return result(hosts.find(host, request), "*");
    const read = readPath(request.path);
    if (read === null) return hosts.hosts.find(host) === undefined ? NO_HOST : HIDDEN;
    const asMatched = read.path === request.path ? request : withPath(request, read.path);
    const entry = hosts.find(host, asMatched);
    if (entry && read.lenient !== null) {
      const other = hosts.find(host, withPath(request, read.lenient));
      if (other && other !== entry) return AMBIGUOUS;
    }
    return result(entry, read.path);
  }
}

/** A plain copy, as the request may be a class instance. */
function withPath(request: MatchRequest, path: string): MatchRequest {
  return { method: request.method, path, query: request.query, header: (lowerName) => request.header(lowerName) };
}

function result<T>(entry: RouteEntry<T> | undefined | null, path: string): MatchResult<T> {
  if (entry === null) return NO_HOST;
  return entry === undefined ? NO_ROUTE : { entry, path };
}
