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

export interface Parents {
  /** By `parentKey`. */
  byKey: ReadonlyMap<string, Parent>;
  /** Gateways that take routes without being named (GEP-3793). */
  defaults: readonly Parent[];
}

export const parentKey = ({ group, kind, namespace, name }: ListenerOwner): string =>
  `${group}/${kind}/${namespace}/${name}`;

export function parentsOf(gateways: readonly ProcessedGateway[]): Parents {
  const parents = new Map<string, Parent>();
  const defaults: Parent[] = [];
  for (const gateway of gateways) {
    const { owner, listeners, listenerSets } = gateway;
    const parent = { owner, gateway, listeners };
    parents.set(parentKey(owner), parent);
    if (isDefaultGateway(gateway.gateway)) defaults.push(parent);
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
  return { byKey: parents, defaults };
}

export interface ParentOfRoute {
  parentRef: ParentReference;
  parent: Parent;
}

/** The parents of ours that the route names, then default Gateways if it asks for them. */
export function parentsOfRoute({ metadata, spec }: RouteObject, { byKey, defaults }: Parents): ParentOfRoute[] {
  const named = (spec.parentRefs ?? []).flatMap((parentRef): ParentOfRoute[] => {
    const { group = gatewayGroup, kind = "Gateway", name, namespace = metadata.namespace } = parentRef;
    const parent = byKey.get(`${group}/${kind}/${namespace}/${name}`);
    return parent ? [{ parentRef, parent }] : [];
  });
  if (spec.useDefaultGateways !== "All") return named;
  const others = defaults.filter((parent) => !named.some((each) => each.parent === parent));
  return [...named, ...others.map((parent) => ({ parentRef: { ...parent.owner }, parent }))];
}

const isDefaultGateway = ({ spec }: ProcessedGateway["gateway"]): boolean => spec.defaultScope === "All";
