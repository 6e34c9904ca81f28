// Balancing by load: the endpoint with the fewest requests under way, counted over all services that share it.

import type { Balancer } from "./balancer.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import { Rank } from "./target.ts";
import type { Target } from "./target.ts";

/** Up to here every endpoint is looked at; among more, two at random are as good and cheaper ("the power of two choices"). */
const FEW = 16;

export class LeastRequests implements Balancer {
  #targets: Target[] = [];
  /** Where looking begins, so that equals take turns. */
  #next = 0;

  get size(): number {
    return this.#targets.length;
  }

  update(targets: Target[]): void {
    this.#targets = targets;
  }

  pick(tried: EndpointPool[], now: number): Target | undefined {
    const chosen = this.#targets.length > FEW && tried.length === 0 ? this.#oneOfTwo(now) : undefined;
    return chosen ?? this.#least(tried, now);
  }

  #oneOfTwo(now: number): Target | undefined {
    const [one, two] = [this.#random(), this.#random()];
    const better = two.pool.counters.active < one.pool.counters.active ? two : one;
    if (better.rank(now) === Rank.usable) return better;
    const other = better === one ? two : one;
    return other.rank(now) === Rank.usable ? other : undefined;
  }

  #random(): Target {
    return this.#targets[Math.floor(Math.random() * this.#targets.length)]!;
  }

  #least(tried: EndpointPool[], now: number): Target | undefined {
    const count = this.#targets.length;
    let best: Target | undefined;
    let bestRank: number = Infinity;
    const start = this.#next++;
    for (let step = 0; step < count; step++) {
      const target = this.#targets[(start + step) % count]!;
      if (tried.includes(target.pool)) continue;
      const rank = target.rank(now);
      const fewer = best === undefined || target.pool.counters.active < best.pool.counters.active;
      if (rank > bestRank || (rank === bestRank && !fewer)) continue;
      best = target;
      bestRank = rank;
    }
    return best;
  }
}
