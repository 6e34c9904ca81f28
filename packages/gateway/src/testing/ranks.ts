// Tables for comparison: of `order` only which is lower means anything, not the number.

import type { Route, RoutingTable, VirtualHost } from "@gatehouse/proxy/routing-table";

/** The same table; orders are counted from 0 without gaps. */
export function withRanks(table: RoutingTable): RoutingTable {
  const routes = table.listeners.flatMap(({ servers }) => servers.flatMap((server) => routesOf(server.virtualHosts)));
  const ranks = new Map(
    [...new Set(routes.map(({ order }) => order))].sort((a, b) => a - b).map((order, at) => [order, at]),
  );
  const rank = (route: Route): Route => ({ ...route, order: ranks.get(route.order) ?? -1 });
  return {
    ...table,
    listeners: table.listeners.map((listener) => ({
      ...listener,
      servers: listener.servers.map((server) => ({
        ...server,
        virtualHosts: server.virtualHosts.map((host) => ({ ...host, routes: host.routes.map(rank) })),
      })),
    })),
  };
}

const routesOf = (hosts: readonly VirtualHost[]): Route[] => hosts.flatMap(({ routes }) => routes);
