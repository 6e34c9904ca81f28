// A Gateway that shows a certificate to backends (GatewayBackendTLS) has services of its own for those that are spoken to
// over TLS: the same routes come in a variant for it.

import type { Filter, Route, RouteAction, StreamRoute } from "@gatehouse/proxy/routing-table";
import type { Backend } from "./backends.ts";
import type { ProcessedGateway } from "./gateways.ts";
import type { TranslatedRoute } from "./translated-route.ts";

/** What of a translated route depends on the Gateway it is served by. */
export type ServedRoute = Pick<TranslatedRoute, "kind" | "routes" | "stream" | "terminated" | "backends">;

export function servedThrough(
  translated: TranslatedRoute,
  { owner, clientCertificate }: ProcessedGateway,
): ServedRoute {
  if (!clientCertificate || !translated.backends.some(({ tls }) => tls)) return translated;
  const suffix = `+client:${owner.namespace}/${owner.name}`;
  const secure = new Set(translated.backends.filter(({ tls }) => tls).map(({ id }) => id));
  const rename = (id: string): string => (secure.has(id) ? id + suffix : id);
  const { kind, routes, stream, terminated, backends } = translated;
  return {
    kind,
    routes: routes.map((route) => renameInRoute(route, rename)),
    ...(stream ? { stream: renameInStream(stream, rename) } : {}),
    ...(terminated ? { terminated: renameInStream(terminated, rename) } : {}),
    backends: backends.map((each): Backend => (each.tls ? { ...each, id: rename(each.id), clientCertificate } : each)),
  };
}

type Rename = (id: string) => string;

function renameInRoute(route: Route, rename: Rename): Route {
  return { ...route, filters: renameInFilters(route.filters, rename), action: renameInAction(route.action, rename) };
}

function renameInAction(action: RouteAction, rename: Rename): RouteAction {
  if (action.type !== "forward") return action;
  const backends = action.backends.map(({ service, filters, ...rest }) => ({
    ...(service === undefined ? {} : { service: rename(service) }),
    ...rest,
    filters: renameInFilters(filters, rename),
  }));
  return { ...action, backends };
}

const renameInFilters = (filters: readonly Filter[], rename: Rename): Filter[] =>
  filters.map((filter) => ("service" in filter ? { ...filter, service: rename(filter.service) } : filter));

const renameInStream = ({ id, backends }: StreamRoute, rename: Rename): StreamRoute => ({
  id,
  backends: backends.map(({ service, ...rest }) => ({
    ...(service === undefined ? {} : { service: rename(service) }),
    ...rest,
  })),
});
