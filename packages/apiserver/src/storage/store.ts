// The one owner of the cluster's state: objects in memory, every write on disk before anybody hears of it.
// Writes of one event-loop turn, and of the next while more come, are committed together; answers and watch events go out after the commit.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { Collection, type StoreEvent } from "./collection.ts";
import { damaged, writeFailed } from "./state-error.ts";
import { type LogRow, StoreLog } from "./store-log.ts";

/** A committed change as listeners see it; `json` is the object's encoding, shared by all of them. */
export interface CommittedEvent extends StoreEvent {
  json: string;
}

export type StoreListener = (event: CommittedEvent) => void;

interface PendingWrite extends StoreEvent {
  resource: string;
}

/** How long a write waits for others at most. */
const gatheringMs = 2;

/**
 * Objects by resource (`group/plural`) and key (`namespace/name` or `name`). Stored objects are never changed in place:
 * a write stores a new tree. Reads see writes of the same turn; callers await `settled()` before they show a read to anybody.
 */
export class Store {
  readonly #path: string;
  readonly #log: StoreLog;
  readonly #collections = new Map<string, Collection>();
  /** How long the encodings of stored objects are. */
  readonly #sizes = new WeakMap<KubeObject, number>();
  readonly #listeners = new Map<string, Set<StoreListener>>();
  #revision = 0;
  #committedRevision = 0;
  #pending: PendingWrite[] = [];
  #commit: PromiseWithResolvers<void> | undefined;
  #closed = false;

  /** Opens `path` (or `:memory:`) and replays it. Throws an Error with one clear sentence when it cannot be used. */
  constructor(path: string) {
    this.#path = path;
    this.#log = new StoreLog(path);
    try {
      for (const row of this.#log.replay()) this.#load(row);
    } catch (error) {
      this.#log.close();
      if (error instanceof SyntaxError) throw damaged(path, error.message, error);
      throw error;
    }
    this.#revision = Math.max(this.#revision, this.#log.compacted);
    this.#committedRevision = this.#revision;
  }

  /** The revision of the newest write, committed or about to be. */
  get revision(): number {
    return this.#revision;
  }

  /** The revision of the newest write that listeners have heard of. */
  get committedRevision(): number {
    return this.#committedRevision;
  }

  get(resource: string, key: string): KubeObject | undefined {
    return this.#collections.get(resource)?.objects.get(key);
  }

  count(resource: string): number {
    return this.#collections.get(resource)?.objects.size ?? 0;
  }

  resources(): string[] {
    return [...this.#collections.keys()];
  }

  /** Objects whose key starts with `prefix`, in key order, after key `after`, as of `revision` (default: now). */
  scan(resource: string, prefix = "", after = "", revision?: number): Iterable<[string, KubeObject]> {
    const collection = this.#collection(resource);
    if (revision === undefined || revision >= this.#revision) return collection.scan(prefix, after);
    return collection.scanAt(revision, prefix, after);
  }

  /** Committed changes after `revision`. Throws 410 Expired when they are no longer all known. */
  changesSince(resource: string, revision: number): StoreEvent[] {
    return this.#collection(resource).changesSince(revision);
  }

  /** Stores `object` (which the store then owns) under the next revision. Await `committed()` before answering. */
  write(resource: string, key: string, object: KubeObject): KubeObject {
    const collection = this.#collection(resource);
    const previous = collection.objects.get(key);
    const revision = this.#nextRevision();
    object.metadata.resourceVersion = String(revision);
    collection.set(key, object);
    this.#add({
      resource,
      revision,
      key,
      object,
      type: previous ? "MODIFIED" : "ADDED",
      ...(previous ? { previous } : {}),
    });
    return object;
  }

  /** Removes an object; returns its last state (default: as stored) under the deletion's revision. */
  remove(resource: string, key: string, lastState?: KubeObject): KubeObject | undefined {
    const collection = this.#collection(resource);
    const previous = collection.objects.get(key);
    if (!previous) return undefined;
    const revision = this.#nextRevision();
    const object = { ...(lastState ?? previous) };
    object.metadata = { ...object.metadata, resourceVersion: String(revision) };
    collection.delete(key);
    this.#add({ resource, revision, key, object, previous, type: "DELETED" });
    return object;
  }

  /** Resolves when every write so far is on disk; rejects (500) when this turn's writes could not be kept. */
  committed(): Promise<void> {
    return this.#commit?.promise ?? Promise.resolve();
  }

  /** Resolves when what a read shows cannot be lost any more. */
  async settled(): Promise<void> {
    while (this.#commit) await this.#commit.promise.catch(() => undefined);
  }

  /** Calls `listener` with every committed change of a resource, in order. Returns the way to stop. */
  subscribe(resource: string, listener: StoreListener): () => void {
    const listeners = this.#listeners.get(resource) ?? new Set();
    this.#listeners.set(resource, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Everything committed so far as a database file's bytes. Throws 507 when there is no room to put it together. */
  copy(): Buffer {
    try {
      return this.#log.copy();
    } catch (error) {
      throw writeFailed(this.#path, error);
    }
  }

  /** Commits what is pending and releases the file. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#log.close();
  }

  #collection(resource: string): Collection {
    let collection = this.#collections.get(resource);
    if (!collection) this.#collections.set(resource, (collection = new Collection(this.#log.compacted)));
    return collection;
  }

  #nextRevision(): number {
    if (this.#closed)
      throw new StatusError({ code: 503, reason: "ServiceUnavailable", message: "the server is shutting down" });
    return ++this.#revision;
  }

  #add(write: PendingWrite): void {
    this.#pending.push(write);
    if (this.#commit) return;
    this.#commit = Promise.withResolvers();
    // Nobody may be waiting when a commit fails; those who are get the rejection through their own await.
    this.#commit.promise.catch(() => undefined);
    this.#flushAfterTurn(1, performance.now());
  }

  /** While every turn brings more writes they wait for one sync of the disk together; a lone write waits for nobody. */
  #flushAfterTurn(seen: number, since: number): void {
    setImmediate(() => {
      const { length } = this.#pending;
      const more = length > seen && performance.now() - since < gatheringMs;
      if (more) this.#flushAfterTurn(length, since);
      else this.#flush();
    });
  }

  #flush(): void {
    const writes = this.#pending;
    const commit = this.#commit;
    if (!commit) return;
    this.#pending = [];
    this.#commit = undefined;
    let encoded: string[];
    try {
      encoded = writes.map((write) => JSON.stringify(write.object));
      this.#log.append(writes.map((write, index) => rowOf(write, encoded[index] as string)));
    } catch (error) {
      this.#undo(writes);
      commit.reject(writeFailed(this.#path, error));
      return;
    }
    for (const [index, write] of writes.entries()) {
      this.#committedRevision = write.revision;
      this.#publish(write, encoded[index] as string);
    }
    commit.resolve();
  }

  #publish({ resource, ...event }: PendingWrite, json: string): void {
    this.#collection(resource).remember(event, json.length);
    this.#sizes.set(event.object, json.length);
    this.#supersede(event);
    const listeners = this.#listeners.get(resource);
    if (!listeners?.size) return;
    const committed = { ...event, json };
    for (const listener of Array.from(listeners)) listener(committed);
  }

  #supersede({ revision, type, previous }: StoreEvent): void {
    if (previous) {
      const row = Number(previous.metadata.resourceVersion);
      this.#log.supersede(revision, row, this.#sizes.get(previous) ?? 0);
    }
    if (type === "DELETED") this.#log.supersede(revision, revision, 0);
  }

  #undo(writes: PendingWrite[]): void {
    for (const { resource, key, previous } of writes.toReversed()) {
      if (previous) this.#collection(resource).set(key, previous);
      else this.#collection(resource).delete(key);
    }
  }

  #load(row: LogRow): void {
    const collection = this.#collection(row.resource);
    const previous = collection.objects.get(row.key);
    const event = replayed(row, previous);
    this.#revision = row.revision;
    if (!event) return;
    if (event.type === "DELETED") collection.delete(row.key);
    else collection.set(row.key, event.object);
    const size = row.json?.length ?? 0;
    this.#sizes.set(event.object, size);
    if (row.revision > this.#log.compacted) collection.remember(event, size);
    this.#supersede(event);
  }
}

function rowOf({ revision, resource, key, type }: PendingWrite, json: string): LogRow {
  return { revision, resource, key, json: type === "DELETED" ? null : json };
}

function replayed(row: LogRow, previous: KubeObject | undefined): StoreEvent | undefined {
  const { revision, key } = row;
  if (row.json === null) {
    if (!previous) return undefined;
    const metadata = { ...previous.metadata, resourceVersion: String(revision) };
    return { revision, key, type: "DELETED", object: { ...previous, metadata }, previous };
  }
  const object = JSON.parse(row.json) as KubeObject;
  return previous ? { revision, key, type: "MODIFIED", object, previous } : { revision, key, type: "ADDED", object };
}
