// Who owns whom, over all kinds: the garbage collector's memory, and its judgement. Pure data, metadata only.

import {
  foregroundFinalizer,
  type KubeObject,
  orphanFinalizer,
  type OwnerReference,
} from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

export interface GraphItem {
  type: ResourceType;
  name: string;
  namespace: string | undefined;
  uid: string;
  resourceVersion: string | undefined;
  owners: OwnerReference[];
  finalizers: string[];
  terminating: boolean;
}

export interface OwnerGraph {
  get(uid: string): GraphItem | undefined;
  set(item: GraphItem): void;
  remove(uid: string): void;
  all(): Iterable<GraphItem>;
  dependentsOf(uid: string): GraphItem[];
}

export function createOwnerGraph(): OwnerGraph {
  const items = new Map<string, GraphItem>();
  const dependents = new Map<string, Set<string>>();
  const unlink = (item: GraphItem | undefined): void => {
    for (const owner of item?.owners ?? []) {
      const group = dependents.get(owner.uid);
      if (item && group?.delete(item.uid) && group.size === 0) dependents.delete(owner.uid);
    }
  };
  return {
    get: (uid) => items.get(uid),
    all: () => items.values(),
    set: (item) => {
      unlink(items.get(item.uid));
      items.set(item.uid, item);
      for (const owner of item.owners) {
        dependents.set(owner.uid, (dependents.get(owner.uid) ?? new Set()).add(item.uid));
      }
    },
    remove: (uid) => {
      unlink(items.get(uid));
      items.delete(uid);
    },
    dependentsOf: (uid) => [...(dependents.get(uid) ?? [])].flatMap((dependent) => items.get(dependent) ?? []),
  };
}

export function graphItem(type: ResourceType, { metadata }: KubeObject): GraphItem {
  return {
    type,
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion,
    owners: metadata.ownerReferences ?? [],
    finalizers: metadata.finalizers ?? [],
    terminating: metadata.deletionTimestamp !== undefined,
  };
}

/** Deleted in the foreground: gone only after the dependents that block it. */
export function waitsForDependents(item: GraphItem): boolean {
  return item.terminating && item.finalizers.includes(foregroundFinalizer);
}

/** Dependents whose reference says that `owner` may not go before them. */
export function blockingDependents(graph: OwnerGraph, owner: GraphItem): GraphItem[] {
  return graph
    .dependentsOf(owner.uid)
    .filter(({ owners }) => owners.some((reference) => reference.uid === owner.uid && reference.blockOwnerDeletion));
}

/** `waiting`: the owner is being deleted in the foreground. */
export type OwnerState = "present" | "absent" | "waiting";

export type Verdict =
  | { action: "keep" }
  | { action: "release"; owners: OwnerReference[] }
  | { action: "delete"; policy: "Background" | "Foreground" | "Orphan" };

/** What becomes of an object, given the state of each of its owners (in their order). */
export function judge(item: GraphItem, states: OwnerState[], hasDependents: boolean): Verdict {
  if (states.length === 0) return { action: "keep" };
  const solid = item.owners.filter((_, index) => states[index] === "present");
  if (solid.length === item.owners.length) return { action: "keep" };
  if (solid.length > 0) return { action: "release", owners: solid };
  if (item.finalizers.includes(orphanFinalizer)) return { action: "delete", policy: "Orphan" };
  const inTurn = states.includes("waiting") && hasDependents;
  if (inTurn || item.finalizers.includes(foregroundFinalizer)) return { action: "delete", policy: "Foreground" };
  return { action: "delete", policy: "Background" };
}
