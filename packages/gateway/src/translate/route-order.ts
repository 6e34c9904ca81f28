// The place of every route among all, as a number: what goes first when two matches are equal (HTTPRouteRule.matches). Numbers
// leave room in between, so that a newcomer moves nobody else; only where the room is used up, neighbours are moved.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { compareAge, matchesPerRoute } from "./order.ts";

/** What stands in the order. `base` is the first number of the object's own. */
export interface Placed {
  /** Unique; decides between objects of one name and age. */
  id: string;
  object: KubeObject;
  base: number;
}

/** Numbers that an object has for itself. */
const span = matchesPerRoute;
/** Between two neighbours at first. */
const spacing = 1024 * span;

export class RouteOrder {
  readonly #placed: Placed[] = [];

  /** Gives `entry` its `base`; returns others whose base had to change. */
  insert(entry: Placed): Placed[] {
    const at = this.#find(entry);
    this.#placed.splice(at, 0, entry);
    const [before, after] = [this.#placed[at - 1], this.#placed[at + 1]];
    if (!before && !after) entry.base = 0;
    else if (!after) entry.base = (before?.base ?? 0) + spacing;
    else if (!before) entry.base = after.base - spacing;
    else {
      entry.base = before.base + Math.floor((after.base - before.base) / span / 2) * span;
      if (entry.base === before.base) return this.#spread(at).filter((each) => each !== entry);
    }
    return [];
  }

  remove(entry: Placed): void {
    const at = this.#find(entry);
    if (this.#placed[at] === entry) this.#placed.splice(at, 1);
  }

  /** The place of the entry, or where it belongs. */
  #find(entry: Placed): number {
    let [low, high] = [0, this.#placed.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const each = this.#placed[middle];
      if (each && compare(each, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Spaces the entries around `at` evenly, as few as have room enough; returns them. */
  #spread(at: number): Placed[] {
    for (let width = 8; ; width *= 2) {
      const start = Math.max(0, at - width);
      const end = Math.min(this.#placed.length, at + width);
      const all = start === 0 && end === this.#placed.length;
      const first = this.#placed[start - 1]?.base ?? (this.#placed[start]?.base ?? 0) - spacing;
      const last = this.#placed[end]?.base ?? first + (end - start + 1) * spacing;
      const step = Math.floor((last - first) / (end - start + 1) / span) * span;
      // Twice the room that is needed, for those who come next.
      if (step < 16 * span && !all) continue;
      const moved = this.#placed.slice(start, end);
      for (const [position, entry] of moved.entries()) entry.base = first + (position + 1) * step;
      return moved;
    }
  }
}

const compare = (a: Placed, b: Placed): number =>
  compareAge(a.object, b.object) || (a.id === b.id ? 0 : a.id < b.id ? -1 : 1);
