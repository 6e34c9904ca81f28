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
/** Statuses that are remembered to be shared, and how long their texts may be. */
const maxRecentValues = 16;
const maxSharedLength = 2_048;

export function createInformer<T extends KubeObject>(
  client: ApiClient,
  type: ResourceType<T>,
  options: InformerOptions = {},
): Informer<T> {
  return new Reflector(client, type, options);
}

class Reflector<T extends KubeObject> implements Informer<T> {
  readonly type: ResourceType<T>;
  readonly objects = new Map<string, T>();
  readonly #apiVersion: string;
  readonly #client: ApiClient;
  readonly #onError: (error: unknown) => void;
  readonly #scope: Omit<InformerOptions, "onError">;
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #stopped = new AbortController();
  readonly #statuses = new RecentValues();
  /** The version that the store has seen, undefined when only a new list can tell. */
  #reached: string | undefined;

  constructor(client: ApiClient, type: ResourceType<T>, { onError, ...scope }: InformerOptions) {
    this.type = type;
    this.#apiVersion = apiVersionOf(type);
    this.#client = client;
    this.#onError = onError ?? (() => {});
    this.#scope = scope;
  }

  onChange(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const current of this.objects.values()) handler({ current });
    return () => void this.#handlers.delete(handler);
  }

  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped.signal.addEventListener("abort", () => resolve(), { once: true });
      void this.#run(resolve);
    });
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(synced: () => void): Promise<void> {
    let retryMs = firstRetryMs;
    while (!this.#stopped.signal.aborted) {
      try {
        if (this.#reached === undefined) {
          await this.#relist();
          synced();
        }
        if (this.#reached !== undefined) await this.#follow(this.#reached);
        retryMs = firstRetryMs;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        const isFirst = retryMs === firstRetryMs;
        retryMs = Math.min(retryMs * 2, maxRetryMs);
        // Whatever the server says about the version, a new list mends; a broken connection only needs a new watch.
        if (error instanceof StatusError) this.#reached = undefined;
        if (error instanceof StatusError && error.code === 410 && isFirst) continue;
        this.#onError(error);
        await pause(retryMs / 2, this.#stopped.signal);
      }
    }
  }

  /** Brings the store to a fresh list. */
  async #relist(): Promise<void> {
    const list = await this.#client.list(this.type, this.#scope);
    if (this.#stopped.signal.aborted) return;
    const { items } = list;
    const present = new Set(items.map(objectKey));
    const gone = [...this.objects.keys()].filter((key) => !present.has(key));
    for (const key of gone) this.#remove(key);
    for (const item of items) this.#set(item);
    this.#reached = list.metadata.resourceVersion;
  }

  /** Follows changes until the watch ends. Every event moves `#reached`, so that a cut connection replays nothing. */
  async #follow(resourceVersion: string): Promise<void> {
    const began = Date.now();
    const { signal } = this.#stopped;
    let count = 0;
    for await (const event of this.#client.watch(this.type, { ...this.#scope, resourceVersion, signal })) {
      if (signal.aborted) return;
      count++;
      if (event.type === "ERROR") throw new StatusError(event.object as unknown as Status);
      if (event.type === "DELETED") this.#remove(objectKey(event.object), event.object);
      else if (event.type !== "BOOKMARK") this.#set(event.object);
      this.#reached = event.object.metadata.resourceVersion ?? this.#reached;
    }
    if (count === 0 && Date.now() - began < shortWatchMs) throw new Error("the server ended the watch at once");
  }

  #set(current: T): void {
    const key = objectKey(current);
    // One text for all in place of one in each.
    current.apiVersion = this.#apiVersion;
    current.kind = this.type.kind;
    // Who owns which field is as long as the object itself, and nothing that informers serve asks for it.
    if (current.metadata.managedFields) {
      // Not `delete`, which would make a slow object of the rest.
      const { managedFields: _, ...metadata } = current.metadata;
      current.metadata = metadata;
    }
    const old = this.objects.get(key);
    if (old && old.metadata.resourceVersion === current.metadata.resourceVersion) return;
    if (old) keepSpec(old, current);
    this.#shareStatus(current);
    this.objects.set(key, current);
    this.#tell(old ? { old, current } : { current });
  }

  #shareStatus(object: KubeObject): void {
    if (object["status"] !== undefined) object["status"] = this.#statuses.shared(object["status"]);
  }

  #remove(key: string, last?: T): void {
    const old = last ?? this.objects.get(key);
    if (!this.objects.delete(key) || !old) return;
    this.#tell({ old });
  }

  /** One handler's failure is its own: the store has changed, and the other handlers must hear of it. */
  #tell(change: { old?: T; current?: T }): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** A write of the status comes with a spec that is there already: whoever holds on to parts of it would keep both alive. */
function keepSpec(old: KubeObject, current: KubeObject): void {
  const { uid, generation } = current.metadata;
  const isSame = generation !== undefined && generation === old.metadata.generation && uid === old.metadata.uid;
  if (isSame && "spec" in current && "spec" in old) current.spec = old.spec;
}

/** Thousands of routes say the same of themselves: equal values that came lately are one object. */
class RecentValues {
  readonly #byText = new Map<string, unknown>();

  shared(value: unknown): unknown {
    const text = JSON.stringify(value);
    if (text.length > maxSharedLength) return value;
    const same = this.#byText.get(text);
    if (same !== undefined) return same;
    if (this.#byText.size >= maxRecentValues) this.#byText.clear();
    this.#byText.set(text, value);
    return value;
  }
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
