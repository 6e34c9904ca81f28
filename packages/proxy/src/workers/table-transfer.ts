// Routing tables on their way to another process: each server, virtual host, route and service travels once and is named by a number
// afterwards, so that what did not change arrives as the very object that is there already, and costs nothing to take over.

import type { Listener, Route, RoutingTable, Service, VirtualHost, VirtualServer } from "../routing-table.ts";

export interface TableMessage {
  /** What the receiver has not seen yet; parts before what is made of them. */
  parts: Part[];
  listeners: (Omit<Listener, "servers"> & { servers: number[] })[];
  services: number[];
}

type Part =
  | { number: number; route: Route }
  | { number: number; service: Service }
  | { number: number; virtualHost: Omit<VirtualHost, "routes"> & { routes: number[] } }
  | { number: number; server: Omit<VirtualServer, "virtualHosts"> & { virtualHosts: number[] } };

/** For one receiver. */
export class TableEncoder {
  #numbers = new Map<object, number>();
  #last = 0;

  encode(table: RoutingTable): TableMessage {
    const parts: Part[] = [];
    const known = this.#numbers;
    // Only what this table holds is remembered: the receiver forgets the rest, too.
    const numbers = new Map<object, number>();
    const numberOf = (object: object, describe: (number: number) => Part): number => {
      let number = numbers.get(object) ?? known.get(object);
      if (number === undefined) parts.push(describe((number = ++this.#last)));
      numbers.set(object, number);
      return number;
    };
    const route = (each: Route): number => numberOf(each, (number) => ({ number, route: each }));
    const virtualHost = (each: VirtualHost): number => {
      const routes = each.routes.map(route);
      return numberOf(each, (number) => ({ number, virtualHost: { ...each, routes } }));
    };
    const server = (each: VirtualServer): number => {
      const virtualHosts = each.virtualHosts.map(virtualHost);
      return numberOf(each, (number) => ({ number, server: { ...each, virtualHosts } }));
    };
    const listeners = table.listeners.map((listener) => ({ ...listener, servers: listener.servers.map(server) }));
    const services = table.services.map((service) => numberOf(service, (number) => ({ number, service })));
    this.#numbers = numbers;
    return { parts, listeners, services };
  }
}

/** Of one sender. */
export class TableDecoder {
  #objects = new Map<number, object>();

  decode({ parts, listeners, services }: TableMessage): RoutingTable {
    for (const part of parts) this.#objects.set(part.number, this.#build(part));
    const used = new Map<number, object>();
    const keep = (number: number): object => {
      const object = this.#objects.get(number)!;
      used.set(number, object);
      return object;
    };
    const table: RoutingTable = {
      listeners: listeners.map((listener) => ({
        ...listener,
        servers: listener.servers.map((number) => keep(number) as VirtualServer),
      })),
      services: services.map((number) => keep(number) as Service),
    };
    this.#objects = this.#reachable(table, used);
    return table;
  }

  #build(part: Part): object {
    const of = <T>(number: number): T => this.#objects.get(number) as T;
    if ("route" in part) return part.route;
    if ("service" in part) return part.service;
    if ("virtualHost" in part) return { ...part.virtualHost, routes: part.virtualHost.routes.map(of<Route>) };
    return { ...part.server, virtualHosts: part.server.virtualHosts.map(of<VirtualHost>) };
  }

  /** The numbers of everything that `table` is made of. */
  #reachable(table: RoutingTable, used: Map<number, object>): Map<number, object> {
    const wanted = new Set<object>(used.values());
    for (const { servers } of table.listeners)
      for (const { virtualHosts } of servers)
        for (const host of virtualHosts) {
          wanted.add(host);
          for (const route of host.routes) wanted.add(route);
        }
    return new Map([...this.#objects].filter(([, object]) => wanted.has(object)));
  }
}
