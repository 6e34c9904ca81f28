// Records Events about objects: repeated ones are counted on one Event object, writes never block or fail the caller.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { eventName, newEvent } from "@gatehouse/apimachinery/event";
import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Event, events, type ObjectReference } from "@gatehouse/apimachinery/types/core-v1";

export interface EventRecorder {
  /** `component` is who speaks, e.g. `deployment-controller`. */
  record(component: string, about: KubeObject, type: "Normal" | "Warning", reason: string, message: string): void;
  /** Resolves when the writes under way are done; records nothing afterwards. */
  stop(): Promise<void>;
}

interface Series {
  event: Event;
  /** How often it happened, counting what is not written yet. */
  count: number;
  writing: boolean;
}

const rememberedSeries = 1_000;

export function createEventRecorder(client: ApiClient): EventRecorder {
  const remembered = new Map<string, Series>();
  const writes = new Set<Promise<void>>();
  let stopped = false;

  const start = (key: string, series: Series): void => {
    series.writing = true;
    const write = writeSeries(client, series)
      // Best effort by design: an Event that cannot be written (namespace going, server away) is forgotten.
      .catch(() => void remembered.delete(key))
      .finally(() => {
        series.writing = false;
        writes.delete(write);
      });
    writes.add(write);
  };

  return {
    record: (component, about, type, reason, message) => {
      if (stopped) return;
      const { uid, name } = about.metadata;
      const key = JSON.stringify([component, uid ?? name, type, reason, message]);
      const series = remembered.get(key) ?? {
        event: newEvent({ about: referenceTo(about), type, reason, message }, { component }),
        count: 0,
        writing: false,
      };
      series.count++;
      remembered.delete(key);
      remembered.set(key, series);
      const oldest = remembered.size > rememberedSeries ? remembered.keys().next().value : undefined;
      if (oldest !== undefined) remembered.delete(oldest);
      if (!series.writing) start(key, series);
    },
    stop: async () => {
      stopped = true;
      await Promise.all(writes);
    },
  };
}

/** Writes until the stored count is the counted one. */
async function writeSeries(client: ApiClient, series: Series): Promise<void> {
  while ((series.event.metadata.uid === undefined ? 0 : (series.event.count ?? 0)) < series.count) {
    const next = { ...series.event, count: series.count, lastTimestamp: timestamp() };
    const { name, namespace = "default", uid } = next.metadata;
    if (uid === undefined) {
      series.event = await client.create(events, next);
      continue;
    }
    try {
      const patch = { count: next.count, lastTimestamp: next.lastTimestamp };
      series.event = await client.patch<Event>(events, { name, namespace }, "merge", patch);
    } catch (error) {
      // The server drops old Events: the series starts over.
      if (!hasReason(error, "NotFound")) throw error;
      series.count = 1;
      series.event = unwritten(series.event);
    }
  }
}

function unwritten(event: Event): Event {
  const { namespace = "default" } = event.metadata;
  const metadata = { name: eventName(event.involvedObject.name ?? ""), namespace };
  return { ...event, metadata, firstTimestamp: timestamp() };
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    name,
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}
