// TLSRoutes, TCPRoutes and UDPRoutes -> Traefik's routers and services for TCP and UDP.

import type { RoutingTable, StreamRoute } from "@gatehouse/proxy/routing-table";
import { ownName, type Place, placesOf, routerName, serviceName } from "./traefik-names.ts";
import { nowhere, refusedRouter, routerAt } from "./traefik-routers.ts";
import { traefikSniPriority, traefikSniRule } from "./traefik-rule.ts";
import { loadBalancer, type ServiceViews, serviceOfShares } from "./traefik-services.ts";
import type { TcpRouterView, UdpRouterView } from "./traefik-view.ts";
import type { AttachedRoute, ParentAttachment } from "./translate/attach.ts";
import { terminates } from "./translate/listeners.ts";

interface Draft<R> {
  routers: Map<string, R>;
  services: ServiceViews;
}

export function addTcpRouters(draft: Draft<TcpRouterView>, attached: AttachedRoute, takers: Takers): void {
  const { kind, route } = attached.translated;
  const facts = (hostnames: readonly string[]) => {
    const priority = traefikSniPriority(hostnames);
    return { rule: traefikSniRule(hostnames), priority, priorityStr: String(priority) };
  };
  addRouters(draft, attached, takers, (router, place) => ({
    ...router,
    ...facts(place?.hostnames ?? route.spec.hostnames ?? []),
    ...(kind === "TLSRoute" && place ? { tls: { passthrough: !place.terminates } } : {}),
  }));
}

export function addUdpRouters(draft: Draft<UdpRouterView>, attached: AttachedRoute, takers: Takers): void {
  addRouters(draft, attached, takers, (router) => router);
}

interface StreamPlace extends Place {
  terminates: boolean;
}

function addRouters<R extends UdpRouterView>(
  draft: Draft<R>,
  attached: AttachedRoute,
  takers: Takers,
  complete: (router: UdpRouterView, place: StreamPlace | undefined) => R,
): void {
  const { translated } = attached;
  for (const parent of attached.parents) {
    if (parent.listeners.length === 0) {
      const name = routerName(attached, parent, nowhere, 0, "");
      draft.routers.set(name, complete({ name, service: "", ...refusedRouter(attached, parent, 0) }, undefined));
    }
    for (const place of streamPlacesOf(parent)) {
      const stream = place.terminates ? translated.terminated : translated.stream;
      if (!stream) continue;
      const name = freeName(draft, attached, parent, place);
      const service = addService(draft.services, name, stream);
      const common = routerAt(place, attached, parent, 0, lostTo(stream, place, takers));
      draft.routers.set(name, complete({ name, service, ...common }, place));
    }
  }
}

/** Listeners of one port can differ in what they do with TLS. */
function streamPlacesOf(parent: ParentAttachment): StreamPlace[] {
  return [false, true].flatMap((wanted) => {
    const listeners = parent.listeners.filter(({ listener }) => terminates(listener.spec) === wanted);
    return placesOf({ ...parent, listeners }).map((place) => ({ ...place, terminates: wanted }));
  });
}

/** Traefik hashes no rule here, so that its names end alike; a second router of the route at an entrypoint needs another. */
function freeName<R>(draft: Draft<R>, attached: AttachedRoute, parent: ParentAttachment, place: StreamPlace): string {
  const name = routerName(attached, parent, place.entryPoint, 0, "");
  if (!draft.routers.has(name)) return name;
  const text = `${place.terminates ? "terminate" : "passthrough"} ${traefikSniRule(place.hostnames)}`;
  return routerName(attached, parent, place.entryPoint, 0, text);
}

/** Unusable backends share a service without servers, as in Traefik. */
function addService(services: ServiceViews, router: string, { backends }: StreamRoute): string {
  const shares = backends.map(({ service, reason, weight }) => {
    if (service !== undefined) return { name: serviceName(service), weight };
    const name = ownName(router, "err-lb");
    const view = loadBalancer(services, name, router);
    view.loadBalancer = { servers: [] };
    view.status = "warning";
    view.error = [...new Set([...(view.error ?? []), ...(reason === undefined ? [] : [reason])])];
    return { name, weight };
  });
  return serviceOfShares(services, router, shares);
}

/** Of several routes for the same connections one gets them all, and the others are attached in vain. */
function lostTo(stream: StreamRoute, place: StreamPlace, takers: Takers): string[] {
  return place.hostnames.flatMap((hostname) => {
    const ids = place.listeners.flatMap((name) => takers.get(name)?.get(hostname) ?? []);
    const [first] = ids;
    if (first === undefined || ids.includes(stream.id)) return [];
    return [`${hostname === "*" ? "everything" : `"${hostname}"`} goes to ${first}, which goes first`];
  });
}

/** By listener of the proxy and hostname, the id of the stream that gets what is meant for it. */
export type Takers = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function takersOf({ listeners }: RoutingTable): Takers {
  return new Map(
    listeners.map(({ name, stream, tls }) => {
      const byHost = (tls?.streams ?? []).map(({ hostname, route }) => [hostname, route.id] as const);
      return [name, new Map(stream ? [["*", stream.id], ...byHost] : byHost)];
    }),
  );
}
