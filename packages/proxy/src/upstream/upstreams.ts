// Every service and endpoint of the current table with the state that outlives a swap: pools, health, whose turn it is.

import type { Service } from "../routing-table.ts";
import { CounterSet, newTraffic } from "../stats.ts";
import type { EndpointCounters, TrafficCounters } from "../stats.ts";
import { RoundRobin } from "./balancer.ts";
import { endpointKey, EndpointPool } from "./endpoint-pool.ts";
import type { UpstreamContext } from "./endpoint-pool.ts";

export interface ServiceState {
  readonly id: string;
  readonly endpoints: RoundRobin;
  readonly counters: TrafficCounters;
}

export class Upstreams {
  readonly #context: UpstreamContext;
  readonly #pools = new Map<string, EndpointPool>();
  readonly #services = new Map<string, ServiceState>();
  readonly counters: CounterSet<TrafficCounters> = new CounterSet(newTraffic);

  constructor(context: UpstreamContext) {
    this.#context = context;
  }

  /** Takes over the services of a new table. Exchanges under way keep the state objects they hold. */
  update(services: Record<string, Service>): void {
    const keys = new Set<string>();
    for (const [id, service] of Object.entries(services)) {
      // A port no socket can have would make connecting throw.
      const dialable = service.endpoints.filter(({ port }) => Number.isInteger(port) && port > 0 && port < 65536);
      const targets = dialable.map(({ host, port, name }) => {
        const pool = this.#pool(host, port);
        keys.add(pool.key);
        return { pool, name: name ?? "" };
      });
      this.#state(id).endpoints.update(targets);
    }
    const ids = new Set(Object.keys(services));
    // What exchanges under way still hold keeps its endpoints, so that they may retry.
    for (const id of this.#services.keys()) if (!ids.has(id)) this.#services.delete(id);
    this.counters.retain(ids);
    for (const [key, pool] of this.#pools) {
      if (keys.has(key)) continue;
      pool.retire();
      this.#pools.delete(key);
    }
  }

  get(id: string): ServiceState | undefined {
    return this.#services.get(id);
  }

  endpointCounters(): Record<string, EndpointCounters> {
    return structuredClone(Object.fromEntries([...this.#pools].map(([key, pool]) => [key, pool.counters])));
  }

  close(): void {
    this.update({});
  }

  #state(id: string): ServiceState {
    let state = this.#services.get(id);
    if (state === undefined) {
      this.#services.set(id, (state = { id, endpoints: new RoundRobin(), counters: this.counters.get(id) }));
    }
    return state;
  }

  #pool(host: string, port: number): EndpointPool {
    const key = endpointKey(host, port);
    let pool = this.#pools.get(key);
    if (pool === undefined) this.#pools.set(key, (pool = new EndpointPool(host, port, this.#context)));
    return pool;
  }
}
