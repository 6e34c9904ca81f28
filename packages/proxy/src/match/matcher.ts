// From (host, method, path, headers, query) to a route: pure, compiled once per table, asked for every request and by
// explanations alike.

import type { Route, VirtualHost, VirtualServer } from "../routing-table.ts";
import { HostIndex } from "./hostname.ts";
import type { HostEntry } from "./hostname.ts";
import { readPath } from "./path.ts";
import { PathIndex } from "./path-index.ts";
import { compileEntry } from "./route-conditions.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

/** Why no route was found. */
export type NoMatch =
  | "no-virtual-host"
  | "no-route"
  | "path-hides-dot-segments"
  | "path-ambiguous"
  | "misdirected-request";

export type MatchResult<T> = { entry: RouteEntry<T>; path: string } | { entry: null; why: NoMatch };

/** The virtual hosts of one server. */
export type HostTable<T> = HostIndex<PathIndex<T>>;

const NO_HOST = { entry: null, why: "no-virtual-host" } as const;
const NO_ROUTE = { entry: null, why: "no-route" } as const;
const HIDDEN = { entry: null, why: "path-hides-dot-segments" } as const;
const AMBIGUOUS = { entry: null, why: "path-ambiguous" } as const;
const MISDIRECTED = { entry: null, why: "misdirected-request" } as const;

export class Matcher<T> {
  readonly servers = new HostIndex<HostTable<T>>();

  /** `target` builds what a route leads to; it is called once per route. Virtual hosts of one name are joined. */
  constructor(servers: readonly VirtualServer[], target: (route: Route) => T) {
    for (const { hostname, virtualHosts } of servers) this.servers.add(hostname, compileHosts(virtualHosts, target));
  }

  /** Finds the route for a request whose `path` is as sent. On success `path` is what to forward. `serverName`: what the
   * client's TLS connection asked for, null without TLS or SNI. */
  find(bareHost: string, request: MatchRequest, serverName: string | null = null): MatchResult<T> {
    const server = this.servers.find(bareHost);
    if (serverName !== null && serverName !== bareHost && this.servers.find(serverName) !== server) return MISDIRECTED;
    const hosts = server?.value;
    const host = hosts?.find(bareHost);
    if (hosts === undefined || host === undefined) return NO_HOST;
    if (request.path === "*") return result(firstOf(hosts, host, { ...bound(request), path: "*" }), "*");
    const read = readPath(request.path);
    if (read === null) return HIDDEN;
    const asMatched = read.path === request.path ? request : { ...bound(request), path: read.path };
    const entry = firstOf(hosts, host, asMatched);
    if (entry !== undefined && read.lenient !== null) {
      const other = firstOf(hosts, host, { ...bound(request), path: read.lenient });
      if (other !== undefined && other !== entry) return AMBIGUOUS;
    }
    return result(entry, read.path);
  }
}

function compileHosts<T>(virtualHosts: readonly VirtualHost[], target: (route: Route) => T): HostTable<T> {
  const byName = new Map<string, RouteEntry<T>[]>();
  for (const { hostname, routes } of virtualHosts) {
    const name = hostname.toLowerCase();
    const entries = routes.map((route) => compileEntry(route, target(route)));
    const present = byName.get(name);
    byName.set(name, present === undefined ? entries : [...present, ...entries]);
  }
  const hosts: HostTable<T> = new HostIndex();
  for (const [name, entries] of byName) hosts.add(name, new PathIndex(entries));
  return hosts;
}

/** The route in the most specific virtual host that has one for the request. */
function firstOf<T>(
  hosts: HostTable<T>,
  mostSpecific: HostEntry<PathIndex<T>>,
  request: MatchRequest,
): RouteEntry<T> | undefined {
  for (let host: HostEntry<PathIndex<T>> | undefined = mostSpecific; host !== undefined; host = hosts.widerThan(host)) {
    const entry = host.value.find(request);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** A plain copy whose fields can be replaced; the request may be a class instance. */
function bound(request: MatchRequest): MatchRequest {
  return {
    method: request.method,
    path: request.path,
    query: request.query,
    header: (lowerName) => request.header(lowerName),
  };
}

function result<T>(entry: RouteEntry<T> | undefined, path: string): MatchResult<T> {
  return entry === undefined ? NO_ROUTE : { entry, path };
}
