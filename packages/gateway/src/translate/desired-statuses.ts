// What an object of ours should say of itself, from the results of the translation.

import type { AttachedRoute, ParentAttachment } from "./attach.ts";
import type { DesiredCondition } from "./conditions.ts";
import { controllerName } from "./controller-name.ts";
import type { ProcessedGatewayClass } from "./gateway-classes.ts";
import type { ProcessedGateway } from "./gateways.ts";
import type { ProcessedListenerSet } from "./listener-sets.ts";
import { type ProcessedListener, terminates } from "./listeners.ts";
import type { RouteObject } from "./route-kinds.ts";
import type { ListenerStatusUpdate, RelationUpdate, StatusUpdate } from "./statuses.ts";
import type { TranslatedRoute } from "./translated-route.ts";
import type { GatewayApi } from "./translate-options.ts";

/** How many routes a listener took. */
export type AttachedCount = (listener: ProcessedListener) => number;

/** `object` is the latest state of what was processed, here and below: its status may be younger. */
export function classStatus(
  { conditions, supportedFeatures }: ProcessedGatewayClass,
  object: ProcessedGatewayClass["gatewayClass"],
): StatusUpdate {
  return { type: "class", object, conditions, supportedFeatures };
}

export function gatewayStatus(
  { addresses, conditions, listeners, listenerSets }: ProcessedGateway,
  object: ProcessedGateway["gateway"],
  attached: AttachedCount,
  api: GatewayApi,
): StatusUpdate {
  const sets = listenerSets.filter(({ accepted }) => accepted).length;
  return {
    type: "gateway",
    object,
    addresses,
    conditions,
    listeners: listeners.map((listener) => listenerStatus(listener, attached)),
    ...(api.kinds.has("ListenerSet") ? { attachedListenerSets: sets } : {}),
  };
}

export function listenerSetStatus(
  { owner, conditions, listeners }: ProcessedListenerSet,
  object: ProcessedListenerSet["set"],
  attached: AttachedCount,
): StatusUpdate {
  return {
    type: "listeners",
    object,
    conditions,
    // A status without a port is not valid.
    listeners: listeners
      .filter(({ spec }) => spec.port !== 0)
      .map((listener) => ({
        ...listenerStatus(listener, attached),
        ...(owner.kind === "XListenerSet" ? { port: listener.spec.port } : {}),
      })),
  };
}

function listenerStatus(listener: ProcessedListener, attached: AttachedCount): ListenerStatusUpdate {
  return {
    name: listener.spec.name,
    supportedKinds: listener.supportedKinds,
    attachedRoutes: attached(listener),
    conditions: listener.conditions,
  };
}

/** Undefined for a route that has nothing to do with us and never had. */
export function routeStatus(attached: AttachedRoute | undefined, object: RouteObject): StatusUpdate | undefined {
  const known = (object.status?.parents ?? []).some((entry) => entry.controllerName === controllerName);
  if (!attached) return known ? { type: "parents", object, controllerName, relations: [] } : undefined;
  const { translated, parents } = attached;
  const relations = parents.map((parent): RelationUpdate => {
    const { parentRef: ref, accepted } = parent;
    const { partiallyInvalid } = translated;
    const partial = partiallyInvalid && accepted.status === "True" ? [partiallyInvalid] : [];
    return { ref, conditions: [accepted, resolvedRefsAt(translated, parent), ...partial] };
  });
  return { type: "parents", object, controllerName, relations };
}

/** What TLS that ends here needs of backends is of no concern where it does not. */
export function resolvedRefsAt(
  { resolvedRefs, terminatedRefs }: TranslatedRoute,
  { listeners }: ParentAttachment,
): DesiredCondition {
  const isTerminated = listeners.some(({ listener }) => terminates(listener.spec));
  return isTerminated && terminatedRefs ? terminatedRefs : resolvedRefs;
}
