// An endpoint as one service sees it. Its connections may be shared with other services that name the same address; how it
// fares, and how much it may be given, is each service's own.

import type { ConnectionGate, Place, TurnUser } from "./connection-gate.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { OutlierState } from "./outliers.ts";
import type { UpstreamStream, UpstreamUser } from "./upstream.ts";

/** How fit an endpoint is for the next request; lower is better. */
export const Rank = { usable: 0, busy: 1, down: 2, full: 3 } as const;

export class Target {
  readonly pool: EndpointPool;
  /** For people. */
  name: string;
  /** What active checks say; true without any. */
  healthy = true;
  outlier: OutlierState | null = null;
  gate: ConnectionGate | null = null;

  constructor(pool: EndpointPool, name: string) {
    this.pool = pool;
    this.name = name;
  }

  /** Of `Rank`: `down` is an endpoint that refused lately, fails its checks or was ejected, `busy` one where requests queue. */
  rank(now: number): number {
    if (this.pool.downUntil > now || !this.healthy) return Rank.down;
    if (this.outlier !== null && this.outlier.ejectedUntil > now) return Rank.down;
    if (this.gate === null || this.gate.free) return Rank.usable;
    return this.gate.full ? Rank.full : Rank.busy;
  }

  /** A place for one request, as `EndpointPool.acquire`; null when its queue is full. `leave` must follow. */
  enter(user: UpstreamUser, fresh: boolean, upgrade: boolean): UpstreamStream | null {
    this.pool.counters.active++;
    return this.gate === null
      ? this.pool.acquire(user, fresh, upgrade)
      : this.gate.acquire(this.pool, user, fresh, upgrade);
  }

  /** The same for a connection that is carried as it is; `leave` must follow unless all is full. */
  admit(user: TurnUser): Place {
    const place = this.gate === null ? "inside" : this.gate.enter(this.pool, user);
    if (place !== "full") this.pool.counters.active++;
    return place;
  }

  leave(user: object): void {
    this.pool.counters.active--;
    this.gate?.leave(user);
  }

  /** What came of a request: an answer below 500, or not. */
  report(failed: boolean): void {
    this.outlier?.report(failed);
  }
}
