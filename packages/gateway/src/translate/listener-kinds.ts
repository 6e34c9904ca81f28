// Which kinds of routes a listener takes (AllowedRoutes.kinds, ListenerStatus.supportedKinds).

import type { Listener, RouteGroupKind } from "@gatehouse/gateway-api/listener";
import { gatewayGroup } from "../gateway-resources.ts";
import { listOf } from "./problems.ts";
import { protocolsOfKind, type RouteKind, routeKinds } from "./route-kinds.ts";

export interface KindProblem {
  reason: "InvalidRouteKinds";
  message: string;
}

export interface SupportedKinds {
  supported: RouteGroupKind[];
  problem?: KindProblem;
  /** Why nothing can be done with the listener's protocol. */
  unsupported?: string;
}

/** `served` are the kinds that the cluster knows. */
export function supportedKindsOf(
  { protocol, tls, allowedRoutes }: Listener,
  served: ReadonlySet<string>,
): SupportedKinds {
  const known = routeKinds.filter((kind) => protocolsOfKind[kind].includes(protocol));
  const usable = known.filter((kind) => served.has(kind));
  if (known.length === 0) {
    const use = listOf([
      ...new Set(routeKinds.filter((kind) => served.has(kind)).flatMap((kind) => protocolsOfKind[kind])),
    ]);
    return { supported: [], unsupported: `protocol ${protocol} is not supported: use ${use}` };
  }
  if (usable.length === 0) {
    const message = `protocol ${protocol} is for ${listOf(known)}, which the cluster does not have: install its definition`;
    return { supported: [], unsupported: message };
  }
  if (protocol === "HTTPS" && tls?.mode === "Passthrough") return { supported: [] };
  const wanted = allowedRoutes?.kinds ?? [];
  if (wanted.length === 0) return { supported: usable.map(asGroupKind) };
  const supported = usable.filter((kind) => wanted.some((each) => isKind(each, kind)));
  const invalid = wanted.filter((each) => !usable.some((kind) => isKind(each, kind))).map(({ kind }) => kind);
  if (invalid.length === 0) return { supported: supported.map(asGroupKind) };
  const use = supported.length > 0 ? `only ${listOf(supported)} takes effect` : `use ${usable.join(" or ")}`;
  const what = `allowedRoutes.kinds has ${invalid.join(", ")}, which a listener of protocol ${protocol} does not support`;
  return {
    supported: supported.map(asGroupKind),
    problem: { reason: "InvalidRouteKinds", message: `${what}: ${use}` },
  };
}

const asGroupKind = (kind: RouteKind): RouteGroupKind => ({ group: gatewayGroup, kind });

const isKind = ({ group = gatewayGroup, kind }: RouteGroupKind, wanted: RouteKind): boolean =>
  group === gatewayGroup && kind === wanted;
