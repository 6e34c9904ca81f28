// Routes of all kinds in one sequence.

import type { GatewayObjects } from "./gateway-objects.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";

export function* routesOfObjects(objects: GatewayObjects): Generator<{ kind: RouteKind; route: RouteObject }> {
  const kinds: [RouteKind, Iterable<RouteObject>][] = [
    ["HTTPRoute", objects.httpRoutes],
    ["GRPCRoute", objects.grpcRoutes],
    ["TLSRoute", objects.tlsRoutes],
    ["TCPRoute", objects.tcpRoutes],
    ["UDPRoute", objects.udpRoutes],
  ];
  for (const [kind, routes] of kinds) for (const route of routes) yield { kind, route };
}
