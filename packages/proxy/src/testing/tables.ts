// Short ways to write routing tables in tests.

import type { Filter, Listener, Route, RouteMatch, RoutingTable, Service } from "../routing-table.ts";
import { variant } from "./variant.ts";

/** A match on a path (`/x` exact, `/x*` prefix, `~x` expression), with whatever else is given. */
export function matchOn(path: string, more: Partial<RouteMatch> = {}): RouteMatch {
  const type = path.startsWith("~") ? "regex" : path.endsWith("*") ? "prefix" : "exact";
  const value = type === "regex" ? path.slice(1) : type === "prefix" ? path.slice(0, -1) : path;
  return { path: { type, value }, headers: [], query: [], ...more };
}

let order = 0;

/** A route that forwards to `services` in equal shares. Later ones are lower in order. */
export function route(path: string, services: string | string[] = [], more: Partial<Route> = {}): Route {
  const backends = [services].flat().map((service) => ({ service, weight: 1, filters: [] as Filter[] }));
  return {
    id: path,
    match: matchOn(path),
    order: order++,
    filters: [],
    action: { type: "forward", backends },
    ...more,
  };
}

export function service(id: string, ports: number[]): Service {
  return { id, protocol: "http", endpoints: ports.map((port) => ({ host: "127.0.0.1", port, name: `pod-${port}` })) };
}

/** One listener `web` on any free port of 127.0.0.1. */
export function listener(hosts: Record<string, Route[]>, more: Partial<Listener> = {}): Listener {
  const virtualHosts = Object.entries(hosts).map(([hostname, routes]) => ({ hostname, routes }));
  const servers = [{ hostname: "*", virtualHosts }];
  const tls = variant.tls === null ? {} : { tls: variant.tls };
  return { name: "web", addresses: [{ host: "127.0.0.1", port: 0 }], servers, ...tls, ...more };
}

export function table(listeners: Listener[], services: Service[] = []): RoutingTable {
  return { listeners, services };
}
