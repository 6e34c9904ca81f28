// Writes statuses: only real changes, the newest wish per object, several objects at a time, again after conflicts.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { createWorkQueue } from "@gatehouse/apimachinery/work-queue";
import { resourceTypeOf } from "./gateway-resources.ts";
import { isCountOnly, type StatusUpdate, withStatus } from "./translate/statuses.ts";

export interface StatusWriter {
  /** Wishes; what an object says already costs nothing. A later wish for an object replaces an earlier one. */
  write(updates: Iterable<StatusUpdate>): void;
  /** The object is known in this version now. */
  observe(object: KubeObject): void;
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

export function createStatusWriter(client: ApiClient, log: Log): StatusWriter {
  const wishes = new Map<string, StatusUpdate>();
  /** What the server answered to our last write, until the informer has caught up with it. */
  const written = new Map<string, KubeObject>();
  /** Of objects that are being written, the newest version that the informer has. */
  const observed = new Map<string, KubeObject>();
  /** When an object's counts were written last, by performance.now(). */
  const counted = new Map<string, number>();
  const queue = createWorkQueue({
    concurrency: 16,
    reconcile: (key) => writeOne(key),
    onError: (key, error) => log.error(`status of ${key} could not be written, trying again`, error),
  });

  const write = (updates: Iterable<StatusUpdate>): void => {
    const now = timestamp();
    for (const update of updates) {
      const key = statusKey(update.object);
      const known = newest(update.object, written.get(key));
      if (known === update.object) written.delete(key);
      const wanted = withStatus(update, known, now);
      if (wanted === undefined) {
        wishes.delete(key);
        continue;
      }
      wishes.set(key, update);
      const wait = isCountOnly(wanted, known) ? countsDueIn(key) : 0;
      if (wait > 0) queue.addAfter(key, wait);
      else queue.add(key);
    }
  };

  const countsDueIn = (key: string): number => (counted.get(key) ?? -Infinity) + countsEveryMs - performance.now();

  const observe = (object: KubeObject): void => {
    if (written.size === 0 && observed.size === 0) return;
    const key = statusKey(object);
    if (observed.has(key)) observed.set(key, object);
    if (newest(object, written.get(key)) === object) written.delete(key);
  };

  /** The informer may be faster than the answer, which is of no use then: thousands of them would be kept for nothing. */
  const keep = (key: string, answer: KubeObject): void => {
    const known = observed.get(key);
    if (known && newest(known, answer) === known) written.delete(key);
    else written.set(key, answer);
  };

  const forget = (object: KubeObject): void => {
    const key = statusKey(object);
    wishes.delete(key);
    written.delete(key);
    counted.delete(key);
  };

  /** What waits for its time is written now. */
  const idle = (): Promise<void> => {
    for (const key of wishes.keys()) queue.add(key);
    return queue.idle();
  };

  const writeOne = async (key: string): Promise<void> => {
    const update = wishes.get(key);
    if (!update) return;
    const type = resourceTypeOf(update.object);
    const { name, namespace } = update.object.metadata;
    let current = newest(update.object, written.get(key));
    try {
      for (let attempt = 0; ; attempt++) {
        const wanted = withStatus(update, current, timestamp());
        if (wanted === undefined) break;
        try {
          if (hasCounts(update)) counted.set(key, performance.now());
          observed.set(key, current);
          keep(key, await client.updateStatus(type, wanted));
          break;
        } catch (error) {
          if (!hasReason(error, "Conflict") || attempt > 0) throw error;
          current = await client.get(type, name, namespace);
          if (current.metadata.uid !== update.object.metadata.uid) break;
        }
      }
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    } finally {
      observed.delete(key);
    }
    if (wishes.get(key) === update) wishes.delete(key);
  };

  return { write, observe, forget, idle, stop: () => queue.stop() };
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
