// From (host, method, path, headers, query) to a route: pure, compiled once per table, asked for every request and by
// explanations alike.

import type { Route, VirtualHost } from "../routing-table.ts";
import { HostIndex } from "./hostname.ts";
import { readPath } from "./path.ts";
import { PathIndex } from "./path-index.ts";
import { compileEntry } from "./route-conditions.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

/** Why no route was found. */
export type NoMatch = "no-virtual-host" | "no-route" | "path-hides-dot-segments" | "path-ambiguous";

export type MatchResult<T> = { entry: RouteEntry<T>; path: string } | { entry: null; why: NoMatch };

const NO_HOST = { entry: null, why: "no-virtual-host" } as const;
const NO_ROUTE = { entry: null, why: "no-route" } as const;
const HIDDEN = { entry: null, why: "path-hides-dot-segments" } as const;
const AMBIGUOUS = { entry: null, why: "path-ambiguous" } as const;

export class Matcher<T> {
  readonly hosts = new HostIndex<PathIndex<T>>();

  /** `target` builds what a route leads to; it is called once per route. Virtual hosts of one name are joined. */
  constructor(virtualHosts: VirtualHost[], target: (route: Route) => T) {
    const byName = new Map<string, RouteEntry<T>[]>();
    for (const { hostname, routes } of virtualHosts) {
      const name = hostname.toLowerCase();
      const entries = routes.map((route) => compileEntry(route, target(route)));
      byName.set(name, [...(byName.get(name) ?? []), ...entries]);
    }
    for (const [name, entries] of byName) this.hosts.add(name, new PathIndex(entries));
  }

  /** Finds the route for a request whose `path` is as sent. On success `path` is what to forward.
   * A less specific virtual host is never tried once one was found. */
  find(bareHost: string, request: MatchRequest): MatchResult<T> {
    const paths = this.hosts.find(bareHost);
    if (paths === undefined) return NO_HOST;
    if (request.path === "*") return result(paths.find({ ...bound(request), path: "*" }), "*");
    const read = readPath(request.path);
    if (read === null) return HIDDEN;
    const asMatched = read.path === request.path ? request : { ...bound(request), path: read.path };
    const entry = paths.find(asMatched);
    if (entry !== undefined && read.lenient !== null) {
      const other = paths.find({ ...bound(request), path: read.lenient });
      if (other !== undefined && other !== entry) return AMBIGUOUS;
    }
    return result(entry, read.path);
  }
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
