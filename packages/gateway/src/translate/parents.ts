// What routes attach to: Gateways of ours, and their listener sets.

import type { ParentReference } from "@gatehouse/gateway-api/references";
import { gatewayGroup } from "../gateway-resources.ts";
import type { ProcessedGateway } from "./gateways.ts";
import type { ListenerOwner, ProcessedListener } from "./listeners.ts";
import type { RouteObject } from "./route-kinds.ts";

export interface Parent {
  owner: ListenerOwner;
  /** Whose addresses its listeners are opened on. */
  gateway: ProcessedGateway;
  listeners: readonly ProcessedListener[];
  /** Why a listener set that its Gateway does not take has none. */
  idle?: string;
}

/** By `parentKey`. */
export type Parents = ReadonlyMap<string, Parent>;

export const parentKey = ({ group, kind, namespace, name }: ListenerOwner): string =>
  `${group}/${kind}/${namespace}/${name}`;

export function parentsOf(gateways: readonly ProcessedGateway[]): Parents {
  const parents = new Map<string, Parent>();
  for (const gateway of gateways) {
    const { owner, listeners, listenerSets } = gateway;
    parents.set(parentKey(owner), { owner, gateway, listeners });
    for (const set of listenerSets) {
      const refusal = set.conditions.find(({ reason }) => reason === "NotAllowed")?.message;
      parents.set(parentKey(set.owner), {
        owner: set.owner,
        gateway,
        listeners: set.listeners,
        ...(refusal === undefined ? {} : { idle: refusal }),
      });
    }
  }
  return parents;
}

/** The parents of ours that the route names. */
export function parentsOfRoute(
  { metadata, spec }: RouteObject,
  parents: Parents,
): { parentRef: ParentReference; parent: Parent }[] {
  return (spec.parentRefs ?? []).flatMap((parentRef) => {
    const { group = gatewayGroup, kind = "Gateway", name, namespace = metadata.namespace } = parentRef;
    const parent = parents.get(`${group}/${kind}/${namespace}/${name}`);
    return parent ? [{ parentRef, parent }] : [];
  });
}
