// A local, live copy of one kind of object: list and watch, kept in step, resumed after any failure.
// What client-go calls a reflector with its store; the handlers run synchronously, in event order.

import type { ApiClient } from "./api-client.ts";
import { type KubeObject, objectKey } from "./meta.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";
import { hasReason, type Status } from "./status-error.ts";

export interface InformerOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Told about failed lists and watches that will be tried again. */
  onError?: (error: unknown) => void;
}

/** `old` is absent for an addition, `current` for a deletion. */
export type InformerHandler<T extends KubeObject> = (change: { old?: T; current?: T }) => void;

export interface Informer<T extends KubeObject = KubeObject> {
  readonly type: ResourceType<T>;
  /** By `namespace/name` (or `name`). Objects are shared: never change them. */
  readonly objects: ReadonlyMap<string, T>;
  /** Handlers added late are told of every present object at once. Returns the way to remove it. */
  onChange(handler: InformerHandler<T>): () => void;
  /** Begins; resolves after the first complete list (retrying until it succeeds or `stop`). */
  start(): Promise<void>;
  stop(): void;
}

const firstRetryMs = 50;
const maxRetryMs = 5_000;

export function createInformer<T extends KubeObject>(
  client: ApiClient,
  type: ResourceType<T>,
  options: InformerOptions = {},
): Informer<T> {
  const objects = new Map<string, T>();
  const handlers = new Set<InformerHandler<T>>();
  const stopped = new AbortController();
  const scope = {
    ...(options.namespace ? { namespace: options.namespace } : {}),
    ...(options.labelSelector ? { labelSelector: options.labelSelector } : {}),
    ...(options.fieldSelector ? { fieldSelector: options.fieldSelector } : {}),
  };

  const set = (current: T): void => {
    const key = objectKey(current);
    const old = objects.get(key);
    if (old && old.metadata.resourceVersion === current.metadata.resourceVersion) return;
    objects.set(key, current);
    for (const handler of handlers) handler(old ? { old, current } : { current });
  };
  const remove = (key: string, last: T | undefined): void => {
    const old = last ?? objects.get(key);
    if (!objects.delete(key) || !old) return;
    for (const handler of handlers) handler({ old });
  };

  /** Brings the store to a fresh list; returns the version to watch from. */
  const relist = async (): Promise<string> => {
    const list = await client.list(type, scope);
    const items = list.items.map((item) => ({ ...item, apiVersion: apiVersionOf(type), kind: type.kind }) as T);
    const present = new Set(items.map(objectKey));
    for (const key of [...objects.keys()]) if (!present.has(key)) remove(key, undefined);
    for (const item of items) set(item);
    return list.metadata.resourceVersion;
  };

  /** Follows changes until the server ends the watch; returns the version reached, or undefined to list again. */
  const follow = async (resourceVersion: string): Promise<string | undefined> => {
    let reached = resourceVersion;
    for await (const event of client.watch(type, { ...scope, resourceVersion, signal: stopped.signal })) {
      if (event.type === "ERROR") {
        const status = event.object as unknown as Status;
        if (status.code !== 410) options.onError?.(new Error(status.message));
        return undefined;
      }
      if (event.type === "DELETED") remove(objectKey(event.object), event.object);
      else if (event.type !== "BOOKMARK") set(event.object);
      reached = event.object.metadata.resourceVersion ?? reached;
    }
    return reached;
  };

  const run = async (synced: () => void): Promise<void> => {
    let resourceVersion: string | undefined;
    let retryMs = firstRetryMs;
    while (!stopped.signal.aborted) {
      try {
        if (resourceVersion === undefined) {
          resourceVersion = await relist();
          synced();
        }
        resourceVersion = await follow(resourceVersion);
        retryMs = firstRetryMs;
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (hasReason(error, "Expired")) resourceVersion = undefined;
        options.onError?.(error);
        await pause(retryMs, stopped.signal);
        retryMs = Math.min(retryMs * 2, maxRetryMs);
      }
    }
  };

  return {
    type,
    objects,
    onChange: (handler) => {
      handlers.add(handler);
      for (const current of objects.values()) handler({ current });
      return () => handlers.delete(handler);
    },
    start: () =>
      new Promise((resolve) => {
        stopped.signal.addEventListener("abort", () => resolve(), { once: true });
        void run(resolve);
      }),
    stop: () => stopped.abort(),
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
