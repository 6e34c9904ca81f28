// One route of any kind -> what the proxy does for it, whoever its parents are: pure, and dependent only on the route and on
// what it refers to.

import type { Route, StreamRoute } from "@gatehouse/proxy/routing-table";
import type { Backend } from "./backends.ts";
import type { DesiredCondition } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { translateGrpcRoute } from "./grpc-routes.ts";
import { translateHttpRoute } from "./http-routes.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";
import { type StreamRouteObject, translateStreamRoute } from "./stream-routes.ts";

export interface TranslatedRoute {
  kind: RouteKind;
  /** In its latest version. */
  route: RouteObject;
  /** HTTPRoute and GRPCRoute; `order` counts within the route (see order.ts). Empty when no rule is usable. */
  routes: readonly Route[];
  /** The other kinds: where connections or datagrams go as they come. */
  stream?: StreamRoute;
  /** TLSRoute: where goes what was inside TLS, at listeners that terminate it. */
  terminated?: StreamRoute;
  /** All that these may use. */
  backends: readonly Backend[];
  /** Keys (`backendKey`) of all that it may refer to, whether that is there or not. */
  permitted: readonly string[];
  resolvedRefs: DesiredCondition;
  /** TLSRoute: the same for `terminated`. */
  terminatedRefs?: DesiredCondition;
  /** Accepted: False, whatever the parent says. */
  rejected?: DesiredCondition;
  partiallyInvalid?: DesiredCondition;
}

/** Never throws: what is wrong with the route comes back as conditions. */
export function translateRoute(kind: RouteKind, route: RouteObject, index: ObjectIndex): TranslatedRoute {
  if (kind === "HTTPRoute") return { kind, route, ...translateHttpRoute(route, index) };
  if (kind === "GRPCRoute") return { kind, route, ...translateGrpcRoute(route, index) };
  const { plain, terminated, partiallyInvalid } = translateStreamRoute(kind, route as StreamRouteObject, index);
  return {
    kind,
    route,
    routes: [],
    stream: plain.stream,
    backends: [...plain.backends, ...(terminated?.backends ?? [])],
    permitted: [...new Set(plain.permitted)],
    resolvedRefs: plain.resolvedRefs,
    ...(terminated ? { terminated: terminated.stream, terminatedRefs: terminated.resolvedRefs } : {}),
    ...(partiallyInvalid ? { partiallyInvalid } : {}),
  };
}
