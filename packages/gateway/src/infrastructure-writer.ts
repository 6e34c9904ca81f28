// Keeps the objects that were created for Gateways in step: applies what is to be there when it differs from what is there,
// deletes what is not wanted any more, and never touches an object of that name that somebody else made.

import { isDeepStrictEqual } from "node:util";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { services } from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { createWorkQueue } from "@gatehouse/apimachinery/work-queue";
import { managedByLabel, manager } from "./infrastructure.ts";

export interface InfrastructureWriter {
  /** A Service or EndpointSlice has come, changed or gone; true when `write` may have something to do about it. */
  observe(change: { old?: KubeObject; current?: KubeObject }): boolean;
  /** `wanted` is all that is to be there; `present` finds what is there of that kind and name, of whomever. */
  write(wanted: readonly KubeObject[], present: (object: KubeObject) => KubeObject | undefined): void;
  /** Resolves when all has been written. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

type Task = { apply: KubeObject } | { delete: KubeObject };

const resources: Record<string, ResourceType> = { Service: services, EndpointSlice: endpointSlices };

export function createInfrastructureWriter(client: ApiClient, log: Log): InfrastructureWriter {
  const tasks = new Map<string, Task>();
  /** Applied, until the informers show it. */
  const applied = new Map<string, Applied>();
  const told = new Set<string>();
  /** Ours that are there. */
  const own = new Map<string, KubeObject>();
  let names: ReadonlySet<string> = new Set();
  const queue = createWorkQueue({
    concurrency: 4,
    reconcile: (key) => work(key),
    onError: (key, error) => log.error(`${key} could not be written for its Gateway, trying again`, error),
  });

  const work = async (key: string): Promise<void> => {
    const task = tasks.get(key);
    if (!task) return;
    const object = "apply" in task ? task.apply : task.delete;
    const type = resources[object.kind];
    const { name, namespace = "", uid } = object.metadata;
    if (!type) return;
    if ("apply" in task) {
      await client.patch(type, { name, namespace }, "apply", object, { fieldManager: manager, force: true });
      applied.set(key, { object, seen: false });
    } else {
      try {
        await client.delete(type, name, namespace, uid ? { preconditions: { uid } } : {});
      } catch (error) {
        if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
      }
    }
    if (tasks.get(key) === task) tasks.delete(key);
  };

  const observe = ({ old, current }: { old?: KubeObject; current?: KubeObject }): boolean => {
    const object = current ?? old;
    if (!object) return false;
    const key = keyOf(object);
    const wasOwn = own.delete(key);
    if (current && isInfrastructure(current)) own.set(key, current);
    return wasOwn || own.has(key) || names.has(key);
  };

  const write = (wanted: readonly KubeObject[], present: (object: KubeObject) => KubeObject | undefined): void => {
    names = new Set(wanted.map(keyOf));
    const there = new Map(own);
    for (const object of wanted) {
      const taken = present(object);
      if (taken) there.set(keyOf(object), taken);
      const message = `${keyOf(object)} was made by somebody else: the Gateway it would stand for goes without`;
      if (taken && !isInfrastructure(taken) && !told.has(message)) log.warn(message);
      if (taken && !isInfrastructure(taken)) told.add(message);
    }
    const next = tasksFor(wanted, there, applied);
    tasks.clear();
    for (const [key, task] of next) {
      tasks.set(key, task);
      queue.add(key);
    }
  };

  return { observe, write, idle: () => queue.idle(), stop: () => queue.stop() };
}

const keyOf = (object: KubeObject): string => `${object.kind} ${objectKey(object)}`;

/** Whether the object was made here. */
export const isInfrastructure = ({ metadata }: KubeObject): boolean => metadata.labels?.[managedByLabel] === manager;

interface Applied {
  object: KubeObject;
  /** The informers have shown it since. */
  seen: boolean;
}

function tasksFor(
  wanted: readonly KubeObject[],
  there: ReadonlyMap<string, KubeObject>,
  applied: Map<string, Applied>,
): Map<string, Task> {
  const tasks = new Map<string, Task>();
  const wantedKeys = new Set(wanted.map(keyOf));
  for (const object of wanted) {
    const key = keyOf(object);
    const present = there.get(key);
    const known = applied.get(key);
    if (known && present) known.seen = true;
    if (present && !isInfrastructure(present)) continue;
    const isApplied = known !== undefined && isDeepStrictEqual(known.object, object);
    // What the Gateway no longer asks for has to go too, which only applying anew can tell.
    const isThere = present ? contains(present, object) : isApplied && !known.seen;
    if (!isThere || (!isApplied && !isDeepStrictEqual(present?.metadata.labels, object.metadata.labels))) {
      tasks.set(key, { apply: object });
    }
  }
  for (const [key, object] of there) {
    if (wantedKeys.has(key) || !isInfrastructure(object)) continue;
    applied.delete(key);
    tasks.set(key, { delete: object });
  }
  return tasks;
}

/** Whether all that `wanted` says is so in `present`; lists must be the same. */
function contains(present: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) &&
      present.length === wanted.length &&
      wanted.every((each, position) => contains(present[position], each))
    );
  }
  if (typeof wanted !== "object" || wanted === null) return present === wanted;
  if (typeof present !== "object" || present === null) return false;
  return Object.entries(wanted).every(([name, value]) => contains((present as Record<string, unknown>)[name], value));
}
