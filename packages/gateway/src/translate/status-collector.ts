// Which statuses are to be told again, and what they say.

import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import { classStatus, gatewayStatus, listenerSetStatus, routeStatus } from "./desired-statuses.ts";
import type { GatewayStageResult } from "./gateway-stage.ts";
import type { ListenerNode } from "./listener-node.ts";
import type { ListenerOwner, ProcessedListener } from "./listeners.ts";
import { recording } from "./lookups.ts";
import type { ObjectKind, ObjectStore } from "./object-store.ts";
import { parentKey } from "./parents.ts";
import { type Described, describedKey, describedStatus, type Ways } from "./policy-statuses.ts";
import type { RouteNode } from "./route-node.ts";
import type { StatusUpdate } from "./statuses.ts";
import type { TranslateOptions } from "./translate-options.ts";

export interface CollectContext {
  stage: GatewayStageResult;
  store: ObjectStore;
  ways: Ways;
  nodeOf: (listener: ProcessedListener) => ListenerNode | undefined;
  options: TranslateOptions;
  /** Told what a policy's status has looked up. */
  onDescribed: (key: string, lookups: ReadonlySet<string>) => void;
}

export class StatusCollector {
  readonly #classes = new Set<string>();
  /** As of `parentKey`. */
  readonly #parents = new Set<string>();
  readonly #routes = new Set<RouteNode>();
  /** As of `describedKey`. */
  readonly #described = new Set<string>();

  /** An object has changed of which the status may not be what we want. */
  touch(kind: ObjectKind, object: KubeObject): void {
    if (kind === "gatewayClasses") this.#classes.add(object.metadata.name);
    else if (kind === "gateways" || kind === "listenerSets") this.touchParent(ownerOf(object));
    else if (kind === "backendTLSPolicies" || kind === "backendTrafficPolicies" || kind === "xBackends") {
      this.touchDescribed(describedKey(kind, object));
    }
  }

  touchClass(name: string): void {
    this.#classes.add(name);
  }

  touchParent(owner: ListenerOwner): void {
    this.#parents.add(parentKey(owner));
  }

  touchRoute(node: RouteNode): void {
    this.#routes.add(node);
  }

  touchDescribed(key: string): void {
    this.#described.add(key);
  }

  forgetRoute(node: RouteNode): void {
    this.#routes.delete(node);
  }

  /** What is to be told since the last time. */
  collect(context: CollectContext): StatusUpdate[] {
    const updates = [
      ...[...this.#classes].flatMap((name) => classOf(name, context) ?? []),
      ...[...this.#parents].flatMap((key) => parentOf(key, context) ?? []),
      ...[...this.#routes].flatMap(({ effective, object }) => routeStatus(effective, object) ?? []),
      ...[...this.#described].flatMap((key) => describedOf(key, context) ?? []),
    ];
    for (const set of [this.#classes, this.#parents, this.#routes, this.#described]) set.clear();
    return updates;
  }
}

function ownerOf({ apiVersion, kind, metadata }: KubeObject): ListenerOwner {
  const group = apiVersion.slice(0, apiVersion.indexOf("/"));
  return { group, kind: kind as ListenerOwner["kind"], namespace: metadata.namespace ?? "", name: metadata.name };
}

function classOf(name: string, { stage, store }: CollectContext): StatusUpdate | undefined {
  const processed = stage.classes.get(name);
  const object = store.gatewayClasses.get(name);
  return processed && object && classStatus(processed, object);
}

function parentOf(key: string, { stage, store, nodeOf, options }: CollectContext): StatusUpdate | undefined {
  const parent = stage.parents.byKey.get(key);
  if (!parent) return undefined;
  const { owner, gateway } = parent;
  const count = (listener: ProcessedListener): number => nodeOf(listener)?.attachedRoutes ?? 0;
  const name = `${owner.namespace}/${owner.name}`;
  if (owner.kind === "Gateway") {
    const object = store.gateways.get(name);
    return object && gatewayStatus(gateway, object, count, options.api);
  }
  const set = gateway.listenerSets.find((each) => parentKey(each.owner) === key);
  const object = store.listenerSets.get(`${owner.kind} ${name}`);
  return set && object && listenerSetStatus(set, object, count);
}

function describedOf(key: string, { store, ways, onDescribed }: CollectContext): StatusUpdate | undefined {
  const described = findDescribed(key, store);
  const lookups = new Set<string>();
  const update = described && describedStatus(described, ways, recording(store, lookups));
  onDescribed(key, lookups);
  return update;
}

function findDescribed(key: string, store: ObjectStore): Described | undefined {
  const slash = key.indexOf("/");
  const [kind, name] = [key.slice(0, slash), key.slice(slash + 1)];
  if (kind === "backendTLSPolicies") {
    const object = store.backendTLSPoliciesByKey.get(name);
    return object && { kind, object };
  }
  if (kind === "backendTrafficPolicies") {
    const object = store.backendTrafficPoliciesByKey.get(name);
    return object && { kind, object };
  }
  const object = store.xBackends.get(name);
  return object && { kind: "xBackends", object };
}

/** For messages and maps: `Kind namespace/name`. */
export const objectName = (object: KubeObject): string => `${object.kind} ${objectKey(object)}`;
