// Whose turn it is: strict round robin over the endpoints of a service, smooth weighted round robin over the backends of
// a route. Positions survive table swaps.

import type { EndpointPool } from "./endpoint-pool.ts";

/** An endpoint of one service: the pool may be shared, the name is this service's. */
export interface Target {
  pool: EndpointPool;
  name: string;
}

export class RoundRobin {
  #targets: Target[] = [];
  #next = 0;

  get size(): number {
    return this.#targets.length;
  }

  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** Replaces the endpoints; whoever's turn it was keeps it while it is still there. */
  update(targets: Target[]): void {
    const turn = this.#targets[this.#next]?.pool;
    this.#targets = targets;
    const at = targets.findIndex((target) => target.pool === turn);
    this.#next = at >= 0 ? at : targets.length === 0 ? 0 : this.#next % targets.length;
  }

  /** The next endpoint that was not tried yet. One that refused lately is passed over while there is another. */
  pick(tried: EndpointPool[], now: number): Target | undefined {
    const count = this.#targets.length;
    let fallback = -1;
    for (let step = 0; step < count; step++) {
      const at = (this.#next + step) % count;
      const target = this.#targets[at]!;
      if (tried.includes(target.pool)) continue;
      if (target.pool.downUntil <= now) return this.#take(at);
      if (fallback < 0) fallback = at;
    }
    return fallback < 0 ? undefined : this.#take(fallback);
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
