// Statuses: what ours should say for each object, and how that is merged into what the object says now.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { RouteParentStatus, RouteStatus } from "@gatehouse/gateway-api/common-route";
import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { RouteGroupKind } from "@gatehouse/gateway-api/listener";
import type { PolicyAncestorStatus, PolicyStatus } from "@gatehouse/gateway-api/policy";
import type { ParentReference } from "@gatehouse/gateway-api/references";
import { gatewayGroup } from "../gateway-resources.ts";
import { type DesiredCondition, mergeConditions } from "./conditions.ts";
import { maxAncestors } from "./policy-room.ts";
import type { AnyListenerSet } from "./listener-sets.ts";

export interface ListenerStatusUpdate {
  name: string;
  /** XListenerSet only. */
  port?: number;
  supportedKinds: RouteGroupKind[];
  attachedRoutes: number;
  conditions: DesiredCondition[];
}

/** What is said of an object in relation to another one. */
export interface RelationUpdate {
  ref: ParentReference;
  conditions: DesiredCondition[];
}

/** What one object's status should say. `object` is what it was computed from. */
export type StatusUpdate =
  | { type: "class"; object: GatewayClass; conditions: DesiredCondition[]; supportedFeatures: { name: string }[] }
  | {
      type: "gateway";
      object: Gateway;
      addresses: GatewayStatusAddress[];
      conditions: DesiredCondition[];
      listeners: ListenerStatusUpdate[];
      /** Absent where the API has no such field. */
      attachedListenerSets?: number;
    }
  | { type: "listeners"; object: AnyListenerSet; conditions: DesiredCondition[]; listeners: ListenerStatusUpdate[] }
  | { type: "parents"; object: KubeObject; controllerName: string; relations: RelationUpdate[] }
  | { type: "ancestors"; object: KubeObject; controllerName: string; relations: RelationUpdate[] };

/** Entries of all controllers together (RouteStatus.parents, PolicyStatus.ancestors). */
const maxEntries = { parents: 32, ancestors: maxAncestors };

/**
 * `current` with our part of its status replaced, or undefined when it says so already. `current` may be fresher than
 * `update.object`; `now` (RFC 3339) dates the conditions whose status changes.
 */
export function withStatus(update: StatusUpdate, current: KubeObject, now: string): KubeObject | undefined {
  const generation = update.object.metadata.generation;
  const status = newStatus(update, current, generation, now);
  return isDeepStrictEqual(status, current.status) ? undefined : { ...current, status };
}

/** Whether `wanted` says nothing new of an object with listeners but how many routes they have. */
export function isCountOnly(wanted: KubeObject, { status }: KubeObject): boolean {
  return isDeepStrictEqual(withoutCounts(wanted.status), withoutCounts(status));
}

function withoutCounts(status: unknown): unknown {
  const { listeners, ...rest } = (status ?? {}) as Partial<NonNullable<Gateway["status"]>>;
  return { ...rest, listeners: listeners?.map((listener) => ({ ...listener, attachedRoutes: 0 })) };
}

function newStatus(update: StatusUpdate, current: KubeObject, generation: number | undefined, now: string): unknown {
  switch (update.type) {
    case "class": {
      const { status } = current as GatewayClass;
      const conditions = mergeConditions(status?.conditions, update.conditions, generation, now);
      return { ...status, conditions, supportedFeatures: update.supportedFeatures };
    }
    case "gateway": {
      const { status } = current as Gateway;
      const { addresses, attachedListenerSets } = update;
      const counted = attachedListenerSets === undefined ? {} : { attachedListenerSets };
      return { ...status, addresses, ...listenerParts(update, status, generation, now), ...counted };
    }
    case "listeners": {
      const { status } = current as AnyListenerSet;
      return { ...status, ...listenerParts(update, status, generation, now) };
    }
    case "parents": {
      const { status } = current as { status?: RouteStatus };
      const entries = (status?.parents ?? []).map(({ parentRef: ref, ...rest }) => ({ ref, ...rest }));
      const merged = mergeRelations(entries, update, maxEntries.parents, generation, now);
      const parents = merged.map(({ ref, ...rest }): RouteParentStatus => ({ parentRef: ref, ...rest }));
      return { ...status, parents };
    }
    case "ancestors": {
      const { status } = current as { status?: PolicyStatus };
      const entries = (status?.ancestors ?? []).map(({ ancestorRef: ref, ...rest }) => ({ ref, ...rest }));
      const merged = mergeRelations(entries, update, maxEntries.ancestors, generation, now);
      const ancestors = merged.map(({ ref, ...rest }): PolicyAncestorStatus => ({ ancestorRef: ref, ...rest }));
      return { ...status, ancestors };
    }
  }
}

/** Of whatever has listeners: its conditions and theirs. */
function listenerParts(
  update: Extract<StatusUpdate, { type: "gateway" | "listeners" }>,
  status: Gateway["status"] | AnyListenerSet["status"],
  generation: number | undefined,
  now: string,
) {
  const listeners = update.listeners.map(({ conditions, ...rest }) => {
    const old = status?.listeners?.find((listener) => listener.name === rest.name);
    return { ...rest, conditions: mergeConditions(old?.conditions, conditions, generation, now) };
  });
  return { conditions: mergeConditions(status?.conditions, update.conditions, generation, now), listeners };
}

type RelationStatus = { ref: ParentReference } & Pick<RouteParentStatus, "controllerName" | "conditions">;

/** Entries of other controllers stay as and where they are; ours for relations that are gone are taken away. */
function mergeRelations(
  existing: readonly RelationStatus[],
  { relations, controllerName }: Extract<StatusUpdate, { type: "parents" | "ancestors" }>,
  limit: number,
  generation: number | undefined,
  now: string,
): RelationStatus[] {
  const wanted = new Map(relations.map((relation) => [refKey(relation.ref), relation]));
  const merged: RelationStatus[] = [];
  for (const old of existing) {
    if (old.controllerName !== controllerName) {
      merged.push(old);
      continue;
    }
    const relation = wanted.get(refKey(old.ref));
    if (!relation || !wanted.delete(refKey(old.ref))) continue;
    const conditions = mergeConditions(old.conditions, relation.conditions, generation, now);
    merged.push({ ref: old.ref, controllerName, conditions });
  }
  for (const { ref, conditions } of wanted.values()) {
    merged.push({ ref, controllerName, conditions: mergeConditions([], conditions, generation, now) });
  }
  return merged.slice(0, limit);
}

function refKey({
  group = gatewayGroup,
  kind = "Gateway",
  namespace,
  name,
  sectionName,
  port,
}: ParentReference): string {
  return JSON.stringify([group, kind, namespace ?? "", name, sectionName ?? "", port ?? 0]);
}
