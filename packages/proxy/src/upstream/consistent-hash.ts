// Balancing by what a request is told apart by: the same key meets the same endpoint as long as that is there, and an
// endpoint that comes or goes moves no other keys. By highest random weight (rendezvous) rather than a ring or a table:
// nothing has to be rebuilt when endpoints change, shares are even, and a failing endpoint's keys spread over all others.

import type { Balancer } from "./balancer.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { Target } from "./target.ts";

/** A 32-bit number of a text, the same in every process. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** Spreads what differs in one bit over all of them (the last steps of MurmurHash3). */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export class ConsistentHash implements Balancer {
  #targets: Target[] = [];
  #seeds: number[] = [];

  get size(): number {
    return this.#targets.length;
  }

  update(targets: Target[]): void {
    this.#targets = targets;
    this.#seeds = targets.map((target) => hashText(target.pool.key));
  }

  pick(tried: EndpointPool[], now: number, hash: number): Target | undefined {
    let best: Target | undefined;
    let bestRank: number = Infinity;
    let bestWeight = -1;
    for (let at = 0; at < this.#targets.length; at++) {
      const target = this.#targets[at]!;
      if (tried.includes(target.pool)) continue;
      const rank = target.rank(now);
      if (rank > bestRank) continue;
      const weight = mix(hash ^ this.#seeds[at]!);
      if (rank === bestRank && weight <= bestWeight) continue;
      best = target;
      bestRank = rank;
      bestWeight = weight;
    }
    return best;
  }
}
