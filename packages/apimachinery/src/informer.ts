// A local, live copy of one kind of object: list and watch, kept in step, resumed after any failure.
// What client-go calls a reflector with its store; the handlers run synchronously, in event order.

import type { ApiClient } from "./api-client.ts";
import { type KubeObject, objectKey } from "./meta.ts";
import { apiVersionOf, type ResourceType } from "./resource-type.ts";
import { type Status, StatusError } from "./status-error.ts";

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

/** A watch that ends sooner than this without having said anything counts as a failure (client-go does the same). */
const shortWatchMs = 1_000;
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

  /** One handler's failure is its own: the store has changed, and the other handlers must hear of it. */
  const tell = (change: { old?: T; current?: T }): void => {
    for (const handler of handlers) {
      try {
        handler(change);
      } catch (error) {
        options.onError?.(error);
      }
    }
  };
  const set = (current: T): void => {
    const key = objectKey(current);
    const old = objects.get(key);
    if (old && old.metadata.resourceVersion === current.metadata.resourceVersion) return;
    objects.set(key, current);
    tell(old ? { old, current } : { current });
  };
  const remove = (key: string, last: T | undefined): void => {
    const old = last ?? objects.get(key);
    if (!objects.delete(key) || !old) return;
    tell({ old });
  };

  /** What the store has seen, undefined when only a new list can tell. */
  let reached: string | undefined;

  /** Brings the store to a fresh list. */
  const relist = async (): Promise<void> => {
    const list = await client.list(type, scope);
    if (stopped.signal.aborted) return;
    const items = list.items.map((item) => ({ ...item, apiVersion: apiVersionOf(type), kind: type.kind }) as T);
    const present = new Set(items.map(objectKey));
    for (const key of [...objects.keys()]) if (!present.has(key)) remove(key, undefined);
    for (const item of items) set(item);
    reached = list.metadata.resourceVersion;
  };

  /** Follows changes until the watch ends. Every event moves `reached`, so that a cut connection replays nothing. */
  const follow = async (resourceVersion: string): Promise<void> => {
    const began = Date.now();
    let count = 0;
    for await (const event of client.watch(type, {
      ...scope,
      resourceVersion,
      signal: stopped.signal,
    })) {
      if (stopped.signal.aborted) return;
      count++;
      if (event.type === "ERROR") throw new StatusError(event.object as unknown as Status);
      if (event.type === "DELETED") remove(objectKey(event.object), event.object);
      else if (event.type !== "BOOKMARK") set(event.object);
      reached = event.object.metadata.resourceVersion ?? reached;
    }
    if (count === 0 && Date.now() - began < shortWatchMs) throw new Error("the server ended the watch at once");
  };

  const run = async (synced: () => void): Promise<void> => {
    let retryMs = firstRetryMs;
    while (!stopped.signal.aborted) {
      try {
        if (reached === undefined) {
          await relist();
          synced();
        }
        if (reached !== undefined) await follow(reached);
        retryMs = firstRetryMs;
      } catch (error) {
        if (stopped.signal.aborted) return;
        // Whatever the server says about the version, a new list mends; a broken connection only needs a new watch.
        if (error instanceof StatusError) reached = undefined;
        if (error instanceof StatusError && error.code === 410 && retryMs === firstRetryMs) {
          retryMs *= 2;
          continue;
        }
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
      return () => void handlers.delete(handler);
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
