// Statuses: what ours should say for each object, and how that is merged into what the object says now.

import { isDeepStrictEqual } from "node:util";
import { objectKey } from "@gatehouse/apimachinery/meta";
import type { RouteParentStatus } from "@gatehouse/gateway-api/common-route";
import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { RouteGroupKind } from "@gatehouse/gateway-api/listener";
import type { ParentReference } from "@gatehouse/gateway-api/references";
import { gatewayGroup } from "../gateway-resources.ts";
import type { AttachedRoute } from "./attach.ts";
import { type DesiredCondition, mergeConditions } from "./conditions.ts";
import type { ProcessedGatewayClass } from "./gateway-classes.ts";
import type { GatewayObjects } from "./gateway-objects.ts";
import type { ProcessedGateway } from "./gateways.ts";
import type { ProcessedListener } from "./listeners.ts";

export interface ListenerStatusUpdate {
  name: string;
  supportedKinds: RouteGroupKind[];
  attachedRoutes: number;
  conditions: DesiredCondition[];
}

/** What one object's status should say. `object` is what it was computed from. */
export type StatusUpdate =
  | {
      kind: "GatewayClass";
      object: GatewayClass;
      conditions: DesiredCondition[];
      supportedFeatures: { name: string }[];
    }
  | {
      kind: "Gateway";
      object: Gateway;
      addresses: GatewayStatusAddress[];
      conditions: DesiredCondition[];
      listeners: ListenerStatusUpdate[];
    }
  | {
      kind: "HTTPRoute";
      object: HTTPRoute;
      controllerName: string;
      parents: { parentRef: ParentReference; conditions: DesiredCondition[] }[];
    };

/** RouteStatus.parents holds at most this many entries, those of all controllers together. */
const maxParents = 32;

export function desiredStatuses(
  objects: GatewayObjects,
  classes: ReadonlyMap<string, ProcessedGatewayClass>,
  gateways: readonly ProcessedGateway[],
  routes: readonly AttachedRoute[],
  controllerName: string,
): StatusUpdate[] {
  return [
    ...[...classes.values()].map(({ gatewayClass, accepted, supportedFeatures }): StatusUpdate => ({
      kind: "GatewayClass",
      object: gatewayClass,
      conditions: [accepted],
      supportedFeatures,
    })),
    ...gatewayStatuses(gateways, routes),
    ...routeStatuses(objects, routes, controllerName),
  ];
}

function gatewayStatuses(gateways: readonly ProcessedGateway[], routes: readonly AttachedRoute[]): StatusUpdate[] {
  const attached = countAttached(routes);
  return gateways.map(({ gateway, addresses, conditions, listeners }) => ({
    kind: "Gateway",
    object: gateway,
    addresses,
    conditions,
    listeners: listeners.map((listener) => ({
      name: listener.spec.name,
      supportedKinds: listener.supportedKinds,
      attachedRoutes: attached.get(listener) ?? 0,
      conditions: listener.conditions,
    })),
  }));
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

function routeStatuses(
  objects: GatewayObjects,
  routes: readonly AttachedRoute[],
  controllerName: string,
): StatusUpdate[] {
  const updates: StatusUpdate[] = routes.map(({ translated, parents }) => {
    const { route: object, resolvedRefs, partiallyInvalid } = translated;
    return {
      kind: "HTTPRoute",
      object,
      controllerName,
      parents: parents.map(({ parentRef, accepted }) => ({
        parentRef,
        conditions: [
          accepted,
          resolvedRefs,
          ...(partiallyInvalid && accepted.status === "True" ? [partiallyInvalid] : []),
        ],
      })),
    };
  });
  const present = new Set(routes.map(({ translated }) => objectKey(translated.route)));
  for (const object of objects.httpRoutes) {
    const abandoned = object.status?.parents?.some((entry) => entry.controllerName === controllerName);
    if (abandoned && !present.has(objectKey(object))) {
      updates.push({ kind: "HTTPRoute", object, controllerName, parents: [] });
    }
  }
  return updates;
}

/**
 * `current` with our part of its status replaced, or undefined when it says so already. `current` may be fresher than
 * `update.object`; `now` (RFC 3339) dates the conditions whose status changes.
 */
export function withStatus(
  update: StatusUpdate,
  current: GatewayClass | Gateway | HTTPRoute,
  now: string,
): GatewayClass | Gateway | HTTPRoute | undefined {
  const generation = update.object.metadata.generation;
  const status = newStatus(update, current, generation, now);
  return isDeepStrictEqual(status, current.status) ? undefined : ({ ...current, status } as typeof current);
}

function newStatus(
  update: StatusUpdate,
  current: GatewayClass | Gateway | HTTPRoute,
  generation: number | undefined,
  now: string,
) {
  switch (update.kind) {
    case "GatewayClass": {
      const status = (current as GatewayClass).status;
      const conditions = mergeConditions(status?.conditions, update.conditions, generation, now);
      return { ...status, conditions, supportedFeatures: update.supportedFeatures };
    }
    case "Gateway": {
      const status = (current as Gateway).status;
      const listeners = update.listeners.map(({ conditions, ...rest }) => {
        const old = status?.listeners?.find((listener) => listener.name === rest.name);
        return { ...rest, conditions: mergeConditions(old?.conditions, conditions, generation, now) };
      });
      const conditions = mergeConditions(status?.conditions, update.conditions, generation, now);
      return { ...status, addresses: update.addresses, conditions, listeners };
    }
    case "HTTPRoute": {
      const status = (current as HTTPRoute).status;
      return { ...status, parents: mergeParents(status?.parents ?? [], update, generation, now) };
    }
  }
}

/** Entries of other controllers stay as and where they are; ours for parents that are gone are taken away. */
function mergeParents(
  existing: readonly RouteParentStatus[],
  { parents, controllerName }: Extract<StatusUpdate, { kind: "HTTPRoute" }>,
  generation: number | undefined,
  now: string,
): RouteParentStatus[] {
  const wanted = new Map(parents.map((parent) => [parentKey(parent.parentRef), parent]));
  const merged: RouteParentStatus[] = [];
  for (const old of existing) {
    if (old.controllerName !== controllerName) {
      merged.push(old);
      continue;
    }
    const parent = wanted.get(parentKey(old.parentRef));
    if (!parent || !wanted.delete(parentKey(old.parentRef))) continue;
    const conditions = mergeConditions(old.conditions, parent.conditions, generation, now);
    merged.push({ parentRef: old.parentRef, controllerName, conditions });
  }
  for (const { parentRef, conditions } of wanted.values()) {
    merged.push({ parentRef, controllerName, conditions: mergeConditions([], conditions, generation, now) });
  }
  return merged.slice(0, maxParents);
}

function parentKey({
  group = gatewayGroup,
  kind = "Gateway",
  namespace,
  name,
  sectionName,
  port,
}: ParentReference): string {
  return JSON.stringify([group, kind, namespace ?? "", name, sectionName ?? "", port ?? 0]);
}
