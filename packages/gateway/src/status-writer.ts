// Writes statuses: only real changes, the newest wish per object, several objects at a time, again after conflicts.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { createWorkQueue } from "@gatehouse/apimachinery/work-queue";
import { resourceTypeOf } from "./gateway-resources.ts";
import { type StatusUpdate, withStatus } from "./translate/statuses.ts";

export interface StatusWriter {
  /** Wishes; what an object says already costs nothing. A later wish for an object replaces an earlier one. */
  write(updates: Iterable<StatusUpdate>): void;
  /** The object is gone. */
  forget(object: KubeObject): void;
  /** Resolves when every wish has been written. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export function createStatusWriter(client: ApiClient, log: Log): StatusWriter {
  const wishes = new Map<string, StatusUpdate>();
  /** What the server answered to our last write, until the informer has caught up with it. */
  const written = new Map<string, KubeObject>();
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
      if (withStatus(update, known, now) === undefined) {
        wishes.delete(key);
        continue;
      }
      wishes.set(key, update);
      queue.add(key);
    }
  };

  const forget = (object: KubeObject): void => {
    wishes.delete(statusKey(object));
    written.delete(statusKey(object));
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
          written.set(key, await client.updateStatus(type, wanted));
          break;
        } catch (error) {
          if (!hasReason(error, "Conflict") || attempt > 0) throw error;
          current = await client.get(type, name, namespace);
          if (current.metadata.uid !== update.object.metadata.uid) break;
        }
      }
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
    if (wishes.get(key) === update) wishes.delete(key);
  };

  return { write, forget, idle: () => queue.idle(), stop: () => queue.stop() };
}

/** Names an object among all whose statuses are written. */
export const statusKey = (object: KubeObject): string => `${object.kind} ${objectKey(object)}`;

/** Of one object in two versions the later. Versions of one server are increasing decimals (KEP-5504). */
function newest(known: KubeObject, answered: KubeObject | undefined): KubeObject {
  if (answered === undefined || answered.metadata.uid !== known.metadata.uid) return known;
  const [ours, theirs] = [answered, known].map(({ metadata }) => Number(metadata.resourceVersion));
  return (ours ?? NaN) > (theirs ?? NaN) ? answered : known;
}
