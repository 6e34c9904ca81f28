// Whose turn it is: strict round robin over the endpoints of a service, smooth weighted round robin over the backends of
// a route. Positions survive table swaps.

import type { EndpointPool } from "./endpoint-pool.ts";
import { Rank } from "./target.ts";
import type { Target } from "./target.ts";

/** A way of choosing among the endpoints of a service. */
export interface Balancer {
  readonly size: number;
  /** Replaces the endpoints. */
  update(targets: Target[]): void;
  /** The endpoint for a request: of those that were not tried yet one that is usable; if none is, the least unfit.
   * `now` is performance.now(), `hash` any 32-bit number of what the request is told apart by. */
  pick(tried: EndpointPool[], now: number, hash: number): Target | undefined;
}

export class RoundRobin implements Balancer {
  #targets: Target[] = [];
  #next = 0;

  get size(): number {
    return this.#targets.length;
  }

  /** Whoever's turn it was keeps it while it is still there. */
  update(targets: Target[]): void {
    const turn = this.#targets[this.#next]?.pool;
    this.#targets = targets;
    const at = targets.findIndex((target) => target.pool === turn);
    this.#next = at >= 0 ? at : targets.length === 0 ? 0 : this.#next % targets.length;
  }

  pick(tried: EndpointPool[], now: number): Target | undefined {
    const count = this.#targets.length;
    let best = -1;
    let bestRank: number = Infinity;
    for (let step = 0; step < count; step++) {
      const at = (this.#next + step) % count;
      const target = this.#targets[at]!;
      if (tried.length > 0 && tried.includes(target.pool)) continue;
      const rank = target.rank(now);
      if (rank === Rank.usable) return this.#take(at);
      if (rank >= bestRank) continue;
      best = at;
      bestRank = rank;
    }
    return best < 0 ? undefined : this.#take(best);
  }

  #take(at: number): Target {
    this.#next = (at + 1) % this.#targets.length;
    return this.#targets[at]!;
  }
}

/** Smooth weighted round robin: each share is met exactly over one cycle and spread evenly within it. */
export class WeightedRoundRobin {
  readonly #weights: number[];
  readonly #current: number[];
  readonly #total: number;

  constructor(weights: number[]) {
    this.#weights = weights.map((weight) => Math.max(0, weight));
    this.#current = weights.map(() => 0);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
  }

  /** Index of the next choice, -1 when every weight is 0. */
  next(): number {
    if (this.#total === 0) return -1;
    let best = -1;
    for (let index = 0; index < this.#weights.length; index++) {
      if (this.#weights[index] === 0) continue;
      this.#current[index]! += this.#weights[index]!;
      if (best < 0 || this.#current[index]! > this.#current[best]!) best = index;
    }
    this.#current[best]! -= this.#total;
    return best;
  }
}
