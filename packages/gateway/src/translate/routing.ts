// The routing table: a proxy listener per entrypoint with the routes of all Gateways, and per Gateway with an address of
// its own one for each port, with that Gateway's routes only.

import type { Listener, Route, RoutingTable, Service, VirtualServer } from "@gatehouse/proxy/routing-table";
import type { AttachedRoute } from "./attach.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { ownListenerName, type ProcessedListener } from "./listeners.ts";
import { compareSpecificity, covers } from "./hostnames.ts";
import { compareAge, routeOrder } from "./order.ts";
import type { TranslateOptions } from "./translate-options.ts";
import { type AttachedListener, isolateListeners, mergeGateways } from "./virtual-hosts.ts";

export function buildRoutingTable(
  gateways: readonly ProcessedGateway[],
  routes: readonly AttachedRoute[],
  options: TranslateOptions,
): RoutingTable {
  const attached = attachedListeners(routes);
  const listeners: Listener[] = [];
  const ofEntryPoint = new Map<string, { servers: VirtualServer[][]; secured: ProcessedListener[] }>(
    options.entryPoints.map(({ name }) => [name, { servers: [], secured: [] }]),
  );
  for (const { gateway, hosts, listeners: processed } of gateways) {
    for (const [port, group] of byPort(processed)) {
      const servers = isolateListeners(
        group.map((each) => ({ hostname: each.hostname, routes: attached.get(each) ?? [] })),
      );
      const entryPoint = group[0]?.entryPoint;
      const shared = entryPoint && ofEntryPoint.get(entryPoint.name);
      shared?.servers.push(servers);
      shared?.secured.push(...group.filter(({ certificates }) => certificates.length > 0));
      if (hosts.length > 0) {
        const addresses = hosts.map((host) => ({ host, port }));
        listeners.push({ name: ownListenerName(gateway, port), addresses, servers, ...tlsOf(group) });
      }
    }
  }
  const entryPoints = options.entryPoints.map(({ name, addresses, trustedProxies }): Listener => ({
    name,
    addresses,
    servers: mergeGateways(ofEntryPoint.get(name)?.servers ?? []),
    ...tlsOf(ofEntryPoint.get(name)?.secured ?? []),
    ...(trustedProxies ? { trustedProxies } : {}),
  }));
  return { listeners: [...entryPoints, ...listeners], services: usedServices(routes) };
}

/** Certificates by the hosts they are for; the first, for clients that name no host, is a listener's for every host. */
function tlsOf(listeners: readonly ProcessedListener[]): Pick<Listener, "tls"> {
  const leastSpecificFirst = [...listeners].sort((a, b) => compareSpecificity(b.hostname, a.hostname));
  const certificates = leastSpecificFirst.flatMap(({ hostname, certificates: pairs }) =>
    pairs.map(({ certificate, key, names }, position) => ({
      hostnames: position === 0 ? [hostname] : names.filter((name) => covers(hostname, name)),
      certificate,
      key,
    })),
  );
  return certificates.length > 0 ? { tls: { certificates } } : {};
}

/** The routes each listener serves, ordered among each other by the age of their objects. */
function attachedListeners(routes: readonly AttachedRoute[]): Map<ProcessedListener, AttachedListener["routes"]> {
  const attached = new Map<ProcessedListener, AttachedListener["routes"]>();
  const byAge = [...routes].sort((a, b) => compareAge(a.translated.route, b.translated.route));
  for (const [rank, { translated, parents }] of byAge.entries()) {
    const first = routeOrder(rank);
    const ordered = translated.routes.map((route): Route => ({ ...route, order: first + route.order }));
    for (const { listener, hostnames } of parents.flatMap((parent) => parent.listeners)) {
      if (!listener.routable) continue;
      const entry = { hostnames, routes: ordered };
      const present = attached.get(listener);
      if (present) present.push(entry);
      else attached.set(listener, [entry]);
    }
  }
  return attached;
}

function byPort(listeners: readonly ProcessedListener[]): Map<number, ProcessedListener[]> {
  const groups = new Map<number, ProcessedListener[]>();
  for (const listener of listeners) {
    if (!listener.routable) continue;
    const group = groups.get(listener.spec.port);
    if (group) group.push(listener);
    else groups.set(listener.spec.port, [listener]);
  }
  return groups;
}

function usedServices(routes: readonly AttachedRoute[]): Record<string, Service> {
  const services: Record<string, Service> = {};
  for (const { translated, parents } of routes) {
    if (parents.every((parent) => parent.listeners.length === 0)) continue;
    for (const service of translated.services) services[service.id] = service;
  }
  return services;
}
