// What Traefik's routers of all protocols say: where they stand, how they are, and which object they come from.

import { type Place, providerName } from "./traefik-names.ts";
import type { RouterOrigin, UdpRouterView } from "./traefik-view.ts";
import type { AttachedRoute, ParentAttachment } from "./translate/attach.ts";
import { resolvedRefsAt } from "./translate/desired-statuses.ts";

type RouterCommon = Omit<UdpRouterView, "name" | "service">;

/** A router that works at `place`, as far as nothing is wrong; `problems` are those that only its protocol knows. */
export function routerAt(
  place: Place,
  attached: AttachedRoute,
  parent: ParentAttachment,
  rule: number,
  problems: readonly string[] = [],
): RouterCommon {
  const { partiallyInvalid } = attached.translated;
  const error = [
    ...place.idle.map(({ spec }) => `listener "${spec.name}" is not served: see the Gateway's status`),
    ...[resolvedRefsAt(attached.translated, parent)]
      .filter(({ status }) => status === "False")
      .map(({ message }) => message),
    ...(partiallyInvalid ? [partiallyInvalid.message] : []),
    ...problems,
  ];
  return {
    provider: providerName,
    entryPoints: [place.entryPoint],
    using: [place.entryPoint],
    status: error.length > 0 ? "warning" : "enabled",
    ...(error.length > 0 ? { error } : {}),
    gatehouse: origin(attached, parent, rule, place.addresses),
  };
}

/** A route that no listener took is shown all the same: with what it asks for, and why it does not get it. */
export function refusedRouter(attached: AttachedRoute, parent: ParentAttachment, rule: number): RouterCommon {
  return {
    provider: providerName,
    entryPoints: [],
    using: [],
    status: "disabled",
    error: [parent.accepted.message],
    gatehouse: origin(attached, parent, rule, []),
  };
}

/** In the names of refused routers, where others have their entrypoint. */
export const nowhere = "none";

function origin(
  { translated }: AttachedRoute,
  parent: ParentAttachment,
  rule: number,
  addresses: string[],
): RouterOrigin {
  const { namespace = "", name } = translated.route.metadata;
  const { gateway } = parent.parent.gateway;
  const conditions = [
    parent.accepted,
    resolvedRefsAt(translated, parent),
    ...(translated.partiallyInvalid ? [translated.partiallyInvalid] : []),
  ];
  return {
    kind: translated.kind,
    namespace,
    name,
    rule,
    gateway: `${gateway.metadata.namespace}/${gateway.metadata.name}`,
    addresses,
    parents: [{ parentRef: parent.parentRef, conditions }],
  };
}
