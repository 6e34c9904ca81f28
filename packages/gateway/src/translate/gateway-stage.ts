// Classes, Gateways and listener sets in the translator. They are processed together, since addresses, entrypoints and conflicts
// concern all of them; what comes out as it was stays the same object.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { assignAddresses } from "../gateway-addresses.ts";
import { type ProcessedGatewayClass, processGatewayClasses } from "./gateway-classes.ts";
import { type ProcessedGateway, processGateways } from "./gateways.ts";
import { recording } from "./lookups.ts";
import type { ProcessedListener } from "./listeners.ts";
import type { ProcessedListenerSet } from "./listener-sets.ts";
import type { ObjectStore } from "./object-store.ts";
import { type Parent, type Parents, parentsOf } from "./parents.ts";
import type { TranslateOptions } from "./translate-options.ts";

export interface GatewayStageResult {
  classes: ReadonlyMap<string, ProcessedGatewayClass>;
  /** The oldest first. */
  gateways: readonly ProcessedGateway[];
  parents: Parents;
  lookups: ReadonlySet<string>;
}

export const emptyStage: GatewayStageResult = {
  classes: new Map(),
  gateways: [],
  parents: { byKey: new Map(), defaults: [] },
  lookups: new Set(),
};

export function runGatewayStage(
  store: ObjectStore,
  options: TranslateOptions,
  before: GatewayStageResult,
): GatewayStageResult {
  const lookups = new Set<string>();
  const fresh = processGatewayClasses(store.gatewayClasses.values(), options);
  const classes = new Map([...fresh].map(([name, each]) => [name, keepClass(each, before.classes.get(name))]));
  const own = [...store.gateways.values()].filter(({ spec }) => classes.has(spec.gatewayClassName));
  const assignments = assignAddresses(own, options.pool, options.sharedAddresses);
  const known = new Map(before.gateways.map((gateway) => [objectKey(gateway.gateway), gateway]));
  const gateways = processGateways(
    { gateways: own, listenerSets: store.listenerSets.values() },
    { classes, addressOf: (gateway) => assignments.get(objectKey(gateway)) ?? { addresses: [], hosts: [] } },
    recording(store, lookups),
    options,
  ).map((fresh) => keepGateway(fresh, known.get(objectKey(fresh.gateway))));
  return { classes, gateways, parents: keepParents(parentsOf(gateways), before.parents), lookups };
}

/** A change of status alone: what we have made of the object still holds. */
export function isStatusOnly(old: KubeObject, current: KubeObject): boolean {
  const [a, b] = [old.metadata, current.metadata];
  return (
    a.generation !== undefined &&
    a.generation === b.generation &&
    a.uid === b.uid &&
    a.creationTimestamp === b.creationTimestamp &&
    a.deletionTimestamp === b.deletionTimestamp &&
    isDeepStrictEqual(a.labels, b.labels) &&
    isDeepStrictEqual(a.annotations, b.annotations)
  );
}

function keepClass(fresh: ProcessedGatewayClass, before: ProcessedGatewayClass | undefined): ProcessedGatewayClass {
  if (!before) return fresh;
  const { gatewayClass: current, ...rest } = fresh;
  const { gatewayClass: old, ...others } = before;
  return isStatusOnly(old, current) && isDeepStrictEqual(rest, others) ? before : fresh;
}

function keepGateway(fresh: ProcessedGateway, before: ProcessedGateway | undefined): ProcessedGateway {
  if (!before) return fresh;
  const sets = new Map(before.listenerSets.map((set) => [setKey(set), set]));
  const kept: ProcessedGateway = {
    ...fresh,
    listeners: keepListeners(fresh.listeners, before.listeners),
    listenerSets: fresh.listenerSets.map((set) => keepSet(set, sets.get(setKey(set)))),
  };
  const { gateway: current, ...rest } = kept;
  const { gateway: old, ...others } = before;
  return isStatusOnly(old, current) && isDeepStrictEqual(rest, others) ? before : kept;
}

const setKey = ({ owner }: ProcessedListenerSet): string => `${owner.kind} ${owner.namespace}/${owner.name}`;

function keepSet(fresh: ProcessedListenerSet, before: ProcessedListenerSet | undefined): ProcessedListenerSet {
  if (!before) return fresh;
  const kept = { ...fresh, listeners: keepListeners(fresh.listeners, before.listeners) };
  const { set: current, ...rest } = kept;
  const { set: old, ...others } = before;
  return isStatusOnly(old, current) && isDeepStrictEqual(rest, others) ? before : kept;
}

function keepListeners(fresh: ProcessedListener[], before: readonly ProcessedListener[]): ProcessedListener[] {
  const known = new Map(before.map((listener) => [listener.spec.name, listener]));
  return fresh.map((listener) => {
    const old = known.get(listener.spec.name);
    return old && isDeepStrictEqual(listener, old) ? old : listener;
  });
}

/** A parent of which nothing changed is the same object as before. */
function keepParents(fresh: Parents, before: Parents): Parents {
  const keep = (parent: Parent, old: Parent | undefined): Parent =>
    old && old.gateway === parent.gateway && old.idle === parent.idle && isSame(old.listeners, parent.listeners)
      ? old
      : parent;
  const byKey = new Map([...fresh.byKey].map(([key, parent]) => [key, keep(parent, before.byKey.get(key))]));
  const kept = new Map([...fresh.byKey].map(([key, parent]) => [parent, byKey.get(key) ?? parent]));
  const defaults = fresh.defaults.map((parent) => kept.get(parent) ?? parent);
  return { byKey, defaults: isSame(defaults, before.defaults) ? before.defaults : defaults };
}

const isSame = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((each, position) => each === b[position]);
