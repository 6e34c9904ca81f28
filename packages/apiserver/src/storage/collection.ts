// The objects of one resource in memory, in key order, with the recent changes to them.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { expired } from "@gatehouse/apimachinery/status-error";

/** One committed change. `previous` is absent for ADDED; a DELETED `object` is the last state under the deletion's revision. */
export interface StoreEvent {
  revision: number;
  type: "ADDED" | "MODIFIED" | "DELETED";
  key: string;
  object: KubeObject;
  previous?: KubeObject;
}

/** Changes kept per resource, by their number and by the size of their objects; a watch from before them must list again. */
const historyLimit = 1024;
const historyBytes = 16 * 1024 * 1024;

interface Remembered {
  event: StoreEvent;
  /** Of the object's encoding. */
  size: number;
}

export class Collection {
  readonly objects = new Map<string, KubeObject>();
  /** Changes at or below this revision may be missing from the history. */
  compacted: number;
  readonly #history: Remembered[] = [];
  #bytes = 0;
  /** Sorted. */
  readonly #keys: string[] = [];

  constructor(compacted: number) {
    this.compacted = compacted;
  }

  set(key: string, object: KubeObject): void {
    if (!this.objects.has(key)) this.#keys.splice(lowerBound(this.#keys, key), 0, key);
    this.objects.set(key, object);
  }

  delete(key: string): void {
    if (!this.objects.delete(key)) return;
    this.#keys.splice(lowerBound(this.#keys, key), 1);
  }

  /** Keeps a committed change, whose object takes `size` bytes of JSON, in the place of the oldest ones. */
  remember(event: StoreEvent, size: number): void {
    this.#history.push({ event, size });
    this.#bytes += size;
    if (this.#history.length < 2 * historyLimit && this.#bytes < 2 * historyBytes) return;
    let kept = this.#bytes;
    let dropping = Math.max(0, this.#history.length - historyLimit);
    for (const { size: one } of this.#history.slice(0, dropping)) kept -= one;
    // The newest stays, whatever its size.
    while (kept > historyBytes && dropping < this.#history.length - 1) kept -= this.#history[dropping++]?.size ?? 0;
    const dropped = this.#history.splice(0, dropping);
    this.#bytes = kept;
    this.compacted = dropped.at(-1)?.event.revision ?? this.compacted;
  }

  /** Changes after `revision`, oldest first. Throws 410 Expired when some of them are no longer known. */
  changesSince(revision: number): StoreEvent[] {
    if (revision < this.compacted) {
      throw expired(`too old resource version: ${revision} (${this.compacted})`);
    }
    const start = firstAfter(this.#history, revision);
    return this.#history.slice(start).map(({ event }) => event);
  }

  /** The present objects whose key starts with `prefix`, in key order, from `after` (exclusive) on. */
  *scan(prefix: string, after = ""): Generator<[string, KubeObject]> {
    const keys = this.#keys;
    let index = lowerBound(keys, after > prefix ? after : prefix);
    if (after !== "" && keys[index] === after) index++;
    for (; index < keys.length; index++) {
      const key = keys[index] as string;
      if (!key.startsWith(prefix)) return;
      yield [key, this.objects.get(key) as KubeObject];
    }
  }

  /** The objects as they were at `revision`, like `scan`. Throws 410 Expired when that is no longer known. */
  *scanAt(revision: number, prefix: string, after = ""): Generator<[string, KubeObject]> {
    const changes = this.changesSince(revision);
    if (changes.length === 0) return yield* this.scan(prefix, after);
    const before = new Map(this.objects);
    for (const event of changes.toReversed()) {
      if (event.previous) before.set(event.key, event.previous);
      else before.delete(event.key);
    }
    const keys = [...before.keys()].filter((key) => key.startsWith(prefix) && key > after).sort(byCodeUnit);
    for (const key of keys) yield [key, before.get(key) as KubeObject];
  }
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function lowerBound(keys: string[], wanted: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstAfter(history: Remembered[], revision: number): number {
  let low = 0;
  let high = history.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((history[middle] as Remembered).event.revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
