// Writes statuses: only real changes, the newest wish per object, several objects at a time, again after conflicts.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { createWorkQueue } from "@gatehouse/apimachinery/work-queue";
import { resourceTypeOf } from "./gateway-resources.ts";
import { type StatusUpdate, withStatus } from "./translate/statuses.ts";

export interface StatusWriter {
  /** Wishes for all objects; those that say so already cost nothing. Later wishes replace earlier ones. */
  write(updates: readonly StatusUpdate[]): void;
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

  const write = (updates: readonly StatusUpdate[]): void => {
    const now = timestamp();
    const present = new Set<string>();
    for (const update of updates) {
      const key = `${update.object.kind} ${objectKey(update.object)}`;
      present.add(key);
      const known = newest(update.object, written.get(key));
      if (known === update.object) written.delete(key);
      if (withStatus(update, known, now) === undefined) {
        wishes.delete(key);
        continue;
      }
      wishes.set(key, update);
      queue.add(key);
    }
    for (const key of wishes.keys()) if (!present.has(key)) wishes.delete(key);
    for (const key of written.keys()) if (!present.has(key)) written.delete(key);
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

  return { write, idle: () => queue.idle(), stop: () => queue.stop() };
}

/** Of one object in two versions the later. Versions of one server are increasing decimals (KEP-5504). */
function newest(known: KubeObject, answered: KubeObject | undefined): KubeObject {
  if (answered === undefined || answered.metadata.uid !== known.metadata.uid) return known;
  const [ours, theirs] = [answered, known].map(({ metadata }) => Number(metadata.resourceVersion));
  return (ours ?? NaN) > (theirs ?? NaN) ? answered : known;
}
