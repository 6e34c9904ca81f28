// One kind of object as a controller sees it: the informer's copy, run ahead by the controllers' own writes.
// Reading one's own writes at once is what keeps a controller from creating or deleting twice (client-go's
// expectations and mutation cache in one).

import type { Informer, InformerHandler } from "@gatehouse/apimachinery/informer";
import { controllerOf, type KubeObject, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

export interface ObjectView<T extends KubeObject = KubeObject> {
  readonly type: ResourceType<T>;
  /** By `namespace/name` or `name`. Objects are shared: never change them. */
  get(key: string): T | undefined;
  all(): T[];
  inNamespace(namespace: string): T[];
  /** Objects whose controller owner reference names this uid. */
  controlledBy(uid: string): T[];
  /** Handlers are told of every present object at once, then of each change. Returns the way to remove it. */
  onChange(handler: InformerHandler<T>): () => void;
  /** Notes the server's answer to a create or update; returns it. */
  wrote(object: T): T;
  /** Notes that the server accepted the deletion: until the informer confirms, the object counts as terminating. */
  deleted(object: T): void;
}

export function createObjectView<T extends KubeObject>(informer: Informer<T>): ObjectView<T> {
  const records = createRecords<T>();
  const unconfirmed = new Map<string, number>();
  const deleting = new Set<string>();
  let seen = 0;

  /** Events come in order of resourceVersion: what was written up to this one is now either confirmed or gone. */
  const confirm = (version: number): void => {
    seen = Math.max(seen, version);
    for (const [key, written] of unconfirmed) {
      if (written > seen) continue;
      unconfirmed.delete(key);
      const actual = informer.objects.get(key);
      if (versionOf(actual) !== versionOf(records.get(key))) records.set(key, actual);
    }
  };
  const withOwnDeletion = (object: T): T => {
    const { uid = "", deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined) deleting.delete(uid);
    return deleting.has(uid) ? terminating(object) : object;
  };

  informer.onChange(({ old, current }) => {
    const object = current ?? old;
    if (!object) return;
    const key = objectKey(object);
    const known = records.get(key);
    if (current) {
      if (versionOf(known) < versionOf(current)) records.set(key, withOwnDeletion(current));
    } else {
      deleting.delete(object.metadata.uid ?? "");
      if (known?.metadata.uid === object.metadata.uid) records.set(key, undefined);
    }
    confirm(versionOf(object));
  });

  return {
    type: informer.type,
    ...records.reading,
    wrote: (object) => {
      const key = objectKey(object);
      const version = versionOf(object);
      if (version > seen && version > versionOf(records.get(key))) {
        unconfirmed.set(key, version);
        records.set(key, object);
      }
      return object;
    },
    deleted: (object) => {
      const known = records.get(objectKey(object));
      const { uid = "" } = object.metadata;
      if (known?.metadata.uid !== uid || known.metadata.deletionTimestamp) return;
      deleting.add(uid);
      records.set(objectKey(object), terminating(known));
    },
  };
}

/** The objects with their indexes and whoever follows them. */
function createRecords<T extends KubeObject>() {
  const objects = new Map<string, T>();
  const byNamespace = createIndex<T>((object) => object.metadata.namespace);
  const byController = createIndex<T>((object) => controllerOf(object)?.uid);
  const handlers = new Set<InformerHandler<T>>();
  const reading: Pick<ObjectView<T>, "get" | "all" | "inNamespace" | "controlledBy" | "onChange"> = {
    get: (key) => objects.get(key),
    all: () => [...objects.values()],
    inNamespace: (namespace) => byNamespace.list(namespace),
    controlledBy: (uid) => byController.list(uid),
    onChange: (handler) => {
      handlers.add(handler);
      for (const current of objects.values()) handler({ current });
      return () => handlers.delete(handler);
    },
  };
  return {
    reading,
    get: (key: string): T | undefined => objects.get(key),
    set: (key: string, current: T | undefined): void => {
      const old = objects.get(key);
      if (old === current) return;
      if (current) objects.set(key, current);
      else objects.delete(key);
      for (const index of [byNamespace, byController]) index.move(key, old, current);
      const change = { ...(old ? { old } : {}), ...(current ? { current } : {}) };
      for (const handler of handlers) handler(change);
    },
  };
}

const terminating = <T extends KubeObject>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, deletionTimestamp: timestamp() },
});

/** resourceVersions of this API server are one increasing decimal per cluster. */
const versionOf = (object: KubeObject | undefined): number => Number(object?.metadata.resourceVersion ?? 0);

function createIndex<T>(groupOf: (object: T) => string | undefined) {
  const groups = new Map<string, Map<string, T>>();
  const leave = (key: string, group: string): void => {
    const members = groups.get(group);
    if (members?.delete(key) && members.size === 0) groups.delete(group);
  };
  return {
    list: (group: string): T[] => [...(groups.get(group)?.values() ?? [])],
    move: (key: string, old: T | undefined, current: T | undefined): void => {
      const from = old && groupOf(old);
      const to = current && groupOf(current);
      if (from !== undefined && from !== to) leave(key, from);
      if (to === undefined || !current) return;
      const members = groups.get(to) ?? new Map<string, T>();
      groups.set(to, members.set(key, current));
    },
  };
}
