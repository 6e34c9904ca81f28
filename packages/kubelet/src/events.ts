// Events about pods and the node: queued, counted instead of repeated, and written one after the other behind
// whatever matters more.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { newEvent, type Occurrence } from "@gatehouse/apimachinery/event";
import type { Log } from "@gatehouse/apimachinery/log";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { events, type ObjectReference } from "@gatehouse/apimachinery/types/core-v1";

export type EventType = "Normal" | "Warning";

export interface EventRecorder {
  /** `about.namespace` is the event's namespace (`default` for cluster-scoped objects). Never fails. */
  record(about: ObjectReference, type: EventType, reason: string, message: string): void;
  /** Drops what is not written yet. */
  stop(): void;
}

// Events wait so that the starts they tell of come first; a cluster's first second is full of both.
const writeDelayMs = 100;
const rememberedEvents = 512;

export function createEventRecorder(client: ApiClient, nodeName: string, log: Log): EventRecorder {
  const queue: Occurrence[] = [];
  const written = new Map<string, { name: string; count: number }>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const create = async (key: string, occurrence: Occurrence): Promise<void> => {
    const event = newEvent(occurrence, { component: "kubelet", host: nodeName });
    await client.create(events, event);
    written.set(key, { name: event.metadata.name, count: 1 });
    const oldest = written.keys().next().value;
    if (written.size > rememberedEvents && oldest !== undefined) written.delete(oldest);
  };

  const write = async (occurrence: Occurrence): Promise<void> => {
    const { about, type, reason, message } = occurrence;
    const key = JSON.stringify([about.uid, about.name, about.fieldPath, type, reason, message]);
    const known = written.get(key);
    if (!known) return create(key, occurrence);
    const count = known.count + 1;
    const target = { name: known.name, namespace: about.namespace ?? "default" };
    try {
      await client.patch(events, target, "merge", { count, lastTimestamp: timestamp() });
      known.count = count;
    } catch (error) {
      // Events expire.
      if (!hasReason(error, "NotFound")) throw error;
      await create(key, occurrence);
    }
  };

  const flush = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        await write(next);
      } catch (error) {
        // The namespace may be going away: an event about it is not worth a retry.
        if (!stopped && !hasReason(error, "NotFound") && !hasReason(error, "Forbidden")) {
          log.warn(`event ${next.reason} for ${next.about.name} not written: ${(error as Error).message}`);
        }
      }
    }
    timer = undefined;
  };

  return {
    record: (about, type, reason, message) => {
      if (stopped) return;
      queue.push({ about, type, reason, message });
      timer ??= setTimeout(() => void flush(), writeDelayMs);
    },
    stop: () => {
      stopped = true;
      queue.length = 0;
      clearTimeout(timer);
    },
  };
}
