// The routing table: a proxy listener per entrypoint with the routes of all Gateways, and per Gateway with an address of
// its own one for each port, with that Gateway's routes only.

import type { Listener, RoutingTable, Service } from "@gatehouse/proxy/routing-table";
import type { AttachedRoute } from "./attach.ts";
import { buildService } from "./backend-services.ts";
import { type AttachedHosts, attachedListeners } from "./attached-listeners.ts";
import { transportOf } from "./entry-point-uses.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { ownListenerName, type ProcessedListener } from "./listeners.ts";
import { mergePorts, type PortTraffic, trafficOfPort } from "./port-traffic.ts";
import type { EntryPoint, TranslateOptions } from "./translate-options.ts";

export function buildRoutingTable(
  gateways: readonly ProcessedGateway[],
  routes: readonly AttachedRoute[],
  index: ObjectIndex,
  options: TranslateOptions,
): RoutingTable {
  const attached = attachedListeners(routes);
  const listeners: Listener[] = [];
  const shared = new Map<string, PortTraffic[]>(options.entryPoints.map(({ name }) => [name, []]));
  for (const gateway of gateways) {
    for (const group of portsOf(gateway)) {
      const traffic = trafficOfPort(group.map((listener) => ({ listener, routes: attached.get(listener) ?? [] })));
      const [first] = group;
      if (!first) continue;
      if (first.entryPoint) shared.get(first.entryPoint.name)?.push(traffic);
      if (gateway.hosts.length > 0) listeners.push(ownListener(gateway, first, traffic));
    }
  }
  const entryPoints = options.entryPoints.map((each) => entryPointListener(each, shared.get(each.name) ?? []));
  return { listeners: [...entryPoints, ...listeners], services: usedServices(attached, index) };
}

function ownListener(
  { gateway, hosts }: ProcessedGateway,
  { spec }: ProcessedListener,
  traffic: PortTraffic,
): Listener {
  const addresses = hosts.map((host) => ({ host, port: spec.port }));
  return { name: ownListenerName(gateway, spec.port, spec.protocol), addresses, ...traffic };
}

function entryPointListener(
  { name, addresses, transport, trustedProxies }: EntryPoint,
  ports: PortTraffic[],
): Listener {
  return {
    name,
    addresses,
    ...(transport === "udp" ? { transport } : {}),
    ...mergePorts(ports),
    ...(trustedProxies ? { trustedProxies } : {}),
  };
}

/** The listeners to be served, by port and transport. */
function portsOf({ listeners, listenerSets }: ProcessedGateway): ProcessedListener[][] {
  const groups = new Map<string, ProcessedListener[]>();
  for (const listener of [...listeners, ...listenerSets.flatMap((set) => set.listeners)]) {
    if (!listener.routable) continue;
    const key = `${listener.spec.port}/${transportOf(listener.spec.protocol)}`;
    const group = groups.get(key);
    if (group) group.push(listener);
    else groups.set(key, [listener]);
  }
  return [...groups.values()];
}

/** In order of their ids. */
function usedServices(attached: ReadonlyMap<ProcessedListener, AttachedHosts[]>, index: ObjectIndex): Service[] {
  const backends = [...attached.values()].flat().flatMap(({ served }) => served.backends);
  const byId = new Map(backends.map((backend) => [backend.id, backend]));
  return [...byId.keys()].sort().map((id) => buildService(byId.get(id)!, index));
}
