// A Gateway that shows a certificate to backends (GatewayBackendTLS) has services of its own for those that are spoken to
// over TLS: the same routes come in a variant for it.

import type { Filter, Route, RouteAction, StreamRoute } from "@gatehouse/proxy/routing-table";
import type { Backend } from "./backends.ts";
import type { CertificatePair } from "./certificates.ts";
import type { TranslatedRoute } from "./translated-route.ts";

/** What of a translated route depends on the Gateway it is served by. */
export type ServedRoute = Pick<TranslatedRoute, "kind" | "routes" | "stream" | "terminated" | "backends">;

/** The variant for the Gateway `owner`, which shows `certificate`; the same route when none of its backends is concerned. */
export function servedWith(
  served: ServedRoute,
  certificate: CertificatePair,
  owner: { namespace: string; name: string },
): ServedRoute {
  const secure = new Set(served.backends.filter(({ tls }) => tls).map(({ id }) => id));
  if (secure.size === 0) return served;
  const suffix = `+client:${owner.namespace}/${owner.name}`;
  const rename = (id: string): string => (secure.has(id) ? id + suffix : id);
  const { kind, routes, stream, terminated, backends } = served;
  return {
    kind,
    routes: routes.map((route) => renameInRoute(route, rename)),
    ...(stream ? { stream: renameInStream(stream, rename) } : {}),
    ...(terminated ? { terminated: renameInStream(terminated, rename) } : {}),
    backends: backends.map((each): Backend =>
      each.tls ? { ...each, id: rename(each.id), clientCertificate: certificate } : each,
    ),
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
