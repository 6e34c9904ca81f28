// What every object of ours should say of itself, from the results of the translation.

import type { AttachedRoute, ParentAttachment } from "./attach.ts";
import type { DesiredCondition } from "./conditions.ts";
import type { ProcessedGatewayClass } from "./gateway-classes.ts";
import type { GatewayObjects, ObjectIndex } from "./gateway-objects.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { type ProcessedListener, terminates } from "./listeners.ts";
import type { RouteObject } from "./route-kinds.ts";
import { routesOfObjects } from "./routes-of-objects.ts";
import type { ListenerStatusUpdate, RelationUpdate, StatusUpdate } from "./statuses.ts";
import { usersOfBackends } from "./backend-users.ts";
import { policyStatuses } from "./policy-statuses.ts";
import type { TranslatedRoute } from "./translated-route.ts";
import type { TranslateOptions } from "./translate-options.ts";

export interface TranslationResults {
  classes: ReadonlyMap<string, ProcessedGatewayClass>;
  gateways: readonly ProcessedGateway[];
  routes: readonly AttachedRoute[];
}

export function desiredStatuses(
  objects: GatewayObjects,
  { classes, gateways, routes }: TranslationResults,
  index: ObjectIndex,
  options: TranslateOptions,
): StatusUpdate[] {
  const { controllerName } = options;
  return [
    ...[...classes.values()].map(({ gatewayClass, conditions, supportedFeatures }): StatusUpdate => ({
      type: "class",
      object: gatewayClass,
      conditions,
      supportedFeatures,
    })),
    ...gatewayStatuses(gateways, routes, options),
    ...routes.map((route) => routeStatus(route, controllerName)),
    ...abandonedRoutes(objects, routes, controllerName),
    ...policyStatuses(objects, usersOfBackends(routes), index, controllerName),
  ];
}

function gatewayStatuses(
  gateways: readonly ProcessedGateway[],
  routes: readonly AttachedRoute[],
  { api }: TranslateOptions,
): StatusUpdate[] {
  const attached = countAttached(routes);
  return gateways.flatMap(({ gateway, addresses, conditions, listeners, listenerSets }): StatusUpdate[] => {
    const accepted = listenerSets.filter((set) => set.accepted).length;
    return [
      {
        type: "gateway",
        object: gateway,
        addresses,
        conditions,
        listeners: listeners.map((listener) => listenerStatus(listener, attached)),
        ...(api.kinds.has("ListenerSet") ? { attachedListenerSets: accepted } : {}),
      },
      ...listenerSets.map((set): StatusUpdate => ({
        type: "listeners",
        object: set.set,
        conditions: set.conditions,
        // A status without a port is not valid.
        listeners: set.listeners
          .filter(({ spec }) => spec.port !== 0)
          .map((listener) => ({
            ...listenerStatus(listener, attached),
            ...(set.owner.kind === "XListenerSet" ? { port: listener.spec.port } : {}),
          })),
      })),
    ];
  });
}

function listenerStatus(
  listener: ProcessedListener,
  attached: ReadonlyMap<ProcessedListener, number>,
): ListenerStatusUpdate {
  return {
    name: listener.spec.name,
    supportedKinds: listener.supportedKinds,
    attachedRoutes: attached.get(listener) ?? 0,
    conditions: listener.conditions,
  };
}

/** Routes (not parentRefs) that a listener took. */
function countAttached(routes: readonly AttachedRoute[]): Map<ProcessedListener, number> {
  const counts = new Map<ProcessedListener, number>();
  for (const { parents } of routes) {
    const listeners = new Set(parents.flatMap((parent) => parent.listeners.map(({ listener }) => listener)));
    for (const listener of listeners) counts.set(listener, (counts.get(listener) ?? 0) + 1);
  }
  return counts;
}

function routeStatus({ translated, parents }: AttachedRoute, controllerName: string): StatusUpdate {
  const { route: object, partiallyInvalid } = translated;
  const relations = parents.map((parent): RelationUpdate => {
    const { parentRef: ref, accepted } = parent;
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

/** Routes that have left all parents of ours, but still say otherwise. */
function abandonedRoutes(
  objects: GatewayObjects,
  routes: readonly AttachedRoute[],
  controllerName: string,
): StatusUpdate[] {
  const present = new Set<RouteObject>(routes.map(({ translated }) => translated.route));
  return [...routesOfObjects(objects)]
    .filter(
      ({ route }) =>
        !present.has(route) && (route.status?.parents ?? []).some((entry) => entry.controllerName === controllerName),
    )
    .map(({ route: object }) => ({ type: "parents", object, controllerName, relations: [] }));
}
