// One TLSRoute, TCPRoute or UDPRoute -> where connections or datagrams go: pure, as http-routes.ts.

import type { BackendRef } from "@gatehouse/gateway-api/references";
import type { StreamBackend, StreamRoute } from "@gatehouse/proxy/routing-table";
import type { Backend, Traffic } from "./backends.ts";
import { type DesiredCondition, holds } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { References, resolvedRefs } from "./references.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";

/** Where a route sends one sort of traffic. */
export interface TranslatedStream {
  stream: StreamRoute;
  backends: Backend[];
  /** As of `References`. */
  permitted: readonly string[];
  resolvedRefs: DesiredCondition;
}

export interface TranslatedStreams {
  /** Connections and datagrams as they come. */
  plain: TranslatedStream;
  /** TLSRoute only: what was inside TLS. Backends with a BackendTLSPolicy get it encrypted anew. */
  terminated?: TranslatedStream;
  partiallyInvalid?: DesiredCondition;
}

type StreamKind = Exclude<RouteKind, "HTTPRoute" | "GRPCRoute">;

export interface StreamRouteObject extends RouteObject {
  spec: RouteObject["spec"] & { rules: { backendRefs?: BackendRef[] }[] };
}

/** Never throws: what is wrong with the route comes back as conditions. */
export function translateStreamRoute(
  kind: StreamKind,
  route: StreamRouteObject,
  index: ObjectIndex,
): TranslatedStreams {
  const [first = {}, ...rest] = route.spec.rules ?? [];
  const refs = first.backendRefs ?? [];
  const translate = (traffic: Traffic): TranslatedStream => translateRefs(kind, route, refs, traffic, index);
  // Alpha versions allow several rules; without matches only the first can ever be reached.
  const dropped = rest.map(
    (_, position) => `${position + 1}: it can never be reached, because rules[0] takes everything: remove it`,
  );
  return {
    plain: translate(kind === "UDPRoute" ? "udp" : "tcp"),
    ...(kind === "TLSRoute" ? { terminated: translate("tls") } : {}),
    ...(dropped.length > 0
      ? { partiallyInvalid: holds("PartiallyInvalid", "UnsupportedValue", `Dropped Rule ${dropped.join("; ")}`) }
      : {}),
  };
}

function translateRefs(
  kind: StreamKind,
  { metadata: { namespace = "", name } }: StreamRouteObject,
  refs: readonly BackendRef[],
  traffic: Traffic,
  index: ObjectIndex,
): TranslatedStream {
  const references = new References({ kind, namespace }, 0, index);
  const backends = refs.map((ref, position): StreamBackend => {
    const backend = references.resolve(ref, `backendRefs[${position}]`, traffic);
    const weight = ref.weight ?? 1;
    return "reason" in backend ? { reason: backend.message, weight } : { service: backend.id, weight };
  });
  return {
    stream: { id: `${kind.toLowerCase()}/${namespace}/${name}`, backends },
    backends: references.backends,
    permitted: references.permitted,
    resolvedRefs: resolvedRefs(references.problems),
  };
}
