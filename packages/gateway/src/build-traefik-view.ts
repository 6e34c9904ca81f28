// The gateway's state in the shapes and names of Traefik's API, made on demand from the translation in force.

import { addHttpRouters } from "./traefik-http-routers.ts";
import { addTcpRouters, addUdpRouters, takersOf } from "./traefik-stream-routers.ts";
import { serviceName } from "./traefik-names.ts";
import { addServers } from "./traefik-services.ts";
import type {
  MiddlewareView,
  RouterView,
  ServiceView,
  TcpRouterView,
  TraefikView,
  UdpRouterView,
} from "./traefik-view.ts";
import type { Backend } from "./translate/backends.ts";
import type { RouteKind } from "./translate/route-kinds.ts";
import type { Translation } from "./translate/translator.ts";

export function buildTraefikView(translation: Translation): TraefikView {
  const http = { routers: new Map<string, RouterView>(), services: noServices(), middlewares: noMiddlewares() };
  const tcp = { routers: new Map<string, TcpRouterView>(), services: noServices() };
  const udp = { routers: new Map<string, UdpRouterView>(), services: noServices() };
  const takers = takersOf(translation.table);
  const backends = new Map<string, Backend>();
  for (const attached of translation.routes) {
    const { kind, backends: used } = attached.translated;
    for (const backend of used) backends.set(serviceName(backend.id), backend);
    const protocol = protocolOf[kind];
    if (protocol === "http") addHttpRouters(http, attached);
    else if (protocol === "tcp") addTcpRouters(tcp, attached, takers);
    else addUdpRouters(udp, attached, takers);
  }
  for (const { services } of [http, tcp, udp]) addServers(services, backends, translation.index);
  return {
    http: { routers: sorted(http.routers), services: sorted(http.services), middlewares: sorted(http.middlewares) },
    tcp: { routers: sorted(tcp.routers), services: sorted(tcp.services), middlewares: [] },
    udp: { routers: sorted(udp.routers), services: sorted(udp.services) },
  };
}

const protocolOf: Record<RouteKind, keyof TraefikView> = {
  HTTPRoute: "http",
  GRPCRoute: "http",
  TLSRoute: "tcp",
  TCPRoute: "tcp",
  UDPRoute: "udp",
};

const noServices = () => new Map<string, ServiceView>();
const noMiddlewares = () => new Map<string, MiddlewareView>();

const sorted = <T extends { name: string }>(views: Map<string, T>): T[] =>
  [...views.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
