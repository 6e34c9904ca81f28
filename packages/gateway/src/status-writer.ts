// Writes statuses: only real changes, the newest wish per object, several objects at a time, again after conflicts.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { createWorkQueue, type WorkQueue } from "@gatehouse/apimachinery/work-queue";
import { resourceTypeOf } from "./gateway-resources.ts";
import { isCountOnly, type StatusUpdate, withStatus } from "./translate/statuses.ts";

export interface StatusWriter {
  /** Wishes; what an object says already costs nothing. A later wish for an object replaces an earlier one. */
  write(updates: Iterable<StatusUpdate>): void;
  /** The object is gone. */
  forget(object: KubeObject): void;
  /** Resolves when every wish has been written. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * At most so often an object is written of which nothing has changed but how many routes are attached: thousands of routes
 * that come or go would else be as many writes, each of which tells everybody who watches Gateways.
 */
const countsEveryMs = 200;

/**
 * Requests under way. An API server syncs to its disk once for all that come meanwhile: whoever has few on the way falls behind
 * clients that have more.
 */
const mostWrites = 32;

export function createStatusWriter(client: ApiClient, log: Log): StatusWriter {
  return new Writer(client, log);
}

class Writer implements StatusWriter {
  readonly #client: ApiClient;
  readonly #queue: WorkQueue;
  readonly #wishes = new Map<string, StatusUpdate>();
  readonly #answers = new Answers();
  /** When an object's counts were written last, by performance.now(). */
  readonly #counted = new Map<string, number>();

  constructor(client: ApiClient, log: Log) {
    this.#client = client;
    this.#queue = createWorkQueue({
      concurrency: mostWrites,
      reconcile: (key) => this.#writeOne(key),
      onError: (key, error) => log.error(`status of ${key} could not be written, trying again`, error),
    });
  }

  write(updates: Iterable<StatusUpdate>): void {
    const now = timestamp();
    for (const update of updates) {
      const key = statusKey(update.object);
      this.#answers.observe(key, update.object);
      const known = this.#answers.newest(key, update.object);
      const wanted = withStatus(update, known, now);
      if (wanted === undefined) {
        this.#wishes.delete(key);
        continue;
      }
      this.#wishes.set(key, update);
      const wait = isCountOnly(wanted, known) ? this.#countsDueIn(key) : 0;
      if (wait > 0) this.#queue.addAfter(key, wait);
      else this.#queue.add(key);
    }
  }

  forget(object: KubeObject): void {
    const key = statusKey(object);
    this.#wishes.delete(key);
    this.#answers.forget(key);
    this.#counted.delete(key);
  }

  /** What waits for its time is written now. */
  idle(): Promise<void> {
    for (const key of this.#wishes.keys()) this.#queue.add(key);
    return this.#queue.idle();
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  #countsDueIn(key: string): number {
    return (this.#counted.get(key) ?? -Infinity) + countsEveryMs - performance.now();
  }

  async #writeOne(key: string): Promise<void> {
    const update = this.#wishes.get(key);
    if (!update) return;
    const type = resourceTypeOf(update.object);
    const { name, namespace } = update.object.metadata;
    let current = this.#answers.newest(key, update.object);
    try {
      for (let attempt = 0; ; attempt++) {
        const wanted = withStatus(update, current, timestamp());
        if (wanted === undefined) break;
        if (hasCounts(update)) this.#counted.set(key, performance.now());
        try {
          await this.#answers.keep(key, current, this.#client.updateStatus(type, wanted));
          break;
        } catch (error) {
          if (!hasReason(error, "Conflict") || attempt > 0) throw error;
          current = await this.#client.get(type, name, namespace);
          if (current.metadata.uid !== update.object.metadata.uid) break;
        }
      }
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
    if (this.#wishes.get(key) === update) this.#wishes.delete(key);
  }
}

/** What the server answered to our last writes, until the informer has caught up with it. */
class Answers {
  readonly #written = new Map<string, KubeObject>();
  /** Of objects that are being written, the newest version that the informer has. */
  readonly #observed = new Map<string, KubeObject>();

  newest(key: string, known: KubeObject): KubeObject {
    return newest(known, this.#written.get(key));
  }

  /** A wish is for this version of the object, or a later one. */
  observe(key: string, object: KubeObject): void {
    if (this.#observed.has(key)) this.#observed.set(key, object);
    if (this.newest(key, object) === object) this.#written.delete(key);
  }

  /** The informer may be faster than the answer, which is of no use then: thousands of them would be kept for nothing. */
  async keep(key: string, known: KubeObject, answer: Promise<KubeObject>): Promise<void> {
    this.#observed.set(key, known);
    try {
      const written = await answer;
      const observed = this.#observed.get(key);
      if (observed && newest(observed, written) === observed) this.#written.delete(key);
      else this.#written.set(key, written);
    } finally {
      this.#observed.delete(key);
    }
  }

  forget(key: string): void {
    this.#written.delete(key);
    this.#observed.delete(key);
  }
}

const hasCounts = ({ type }: StatusUpdate): boolean => type === "gateway" || type === "listeners";

/** Names an object among all whose statuses are written. */
export const statusKey = (object: KubeObject): string => `${object.kind} ${objectKey(object)}`;

/** Of one object in two versions the later. Versions of one server are increasing decimals (KEP-5504). */
function newest(known: KubeObject, answered: KubeObject | undefined): KubeObject {
  if (answered === undefined || answered.metadata.uid !== known.metadata.uid) return known;
  const [ours, theirs] = [answered, known].map(({ metadata }) => Number(metadata.resourceVersion));
  return (ours ?? NaN) > (theirs ?? NaN) ? answered : known;
}
