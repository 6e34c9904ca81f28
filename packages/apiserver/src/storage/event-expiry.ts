// Events live for an hour (kube-apiserver's --event-ttl).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Store } from "./store.ts";

const lifetimeMs = 60 * 60_000;
const sweepMs = 60_000;

/** Removes old Events once a minute until stopped. */
export class EventExpiry {
  readonly #timer: NodeJS.Timeout;

  constructor(store: Store) {
    this.#timer = setInterval(() => removeOldEvents(store, Date.now()), sweepMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Removes Events last seen more than an hour before `now` (milliseconds); returns how many. */
export function removeOldEvents(store: Store, now: number): number {
  const old = [...store.scan("/events")].filter(([, event]) => lastSeen(event) < now - lifetimeMs);
  for (const [key] of old) store.remove("/events", key);
  return old.length;
}

function lastSeen(event: KubeObject): number {
  const { series, lastTimestamp, eventTime } = event as {
    series?: { lastObservedTime?: string };
    lastTimestamp?: string;
    eventTime?: string;
  };
  const times = [series?.lastObservedTime, lastTimestamp, eventTime, event.metadata.creationTimestamp];
  return Math.max(...times.map((time) => Date.parse(time ?? "") || 0));
}
