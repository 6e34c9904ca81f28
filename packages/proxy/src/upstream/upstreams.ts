// Every service and endpoint of the current table with the state that outlives a swap: pools, health, whose turn it is.

import { difference } from "../match/difference.ts";
import type { Service } from "../routing-table.ts";
import { CounterSet, newTraffic } from "../stats.ts";
import type { EndpointCounters, TrafficCounters } from "../stats.ts";
import { RoundRobin } from "./balancer.ts";
import type { Target } from "./balancer.ts";
import { endpointKey, EndpointPool } from "./endpoint-pool.ts";
import type { UpstreamContext } from "./endpoint-pool.ts";

export interface ServiceState {
  readonly id: string;
  service: Service;
  readonly endpoints: RoundRobin;
  readonly counters: TrafficCounters;
}

export class Upstreams {
  readonly #context: UpstreamContext;
  readonly #pools = new Map<string, EndpointPool>();
  readonly #services = new Map<string, ServiceState>();
  #current: readonly Service[] = [];
  readonly counters: CounterSet<TrafficCounters> = new CounterSet(newTraffic);

  constructor(context: UpstreamContext) {
    this.#context = context;
  }

  /** Takes over the services of a new table; one that is the same object as before costs nothing. Exchanges under way keep the
   * state objects they hold. Returns the ids of services that came, went, or changed in more than their endpoints. */
  update(services: readonly Service[]): string[] {
    const changed: string[] = [];
    const { removed, added } = difference(this.#current, services);
    this.#current = services;
    for (const service of added) {
      const { id } = service;
      const state = this.#services.get(id);
      if (state === undefined || !onlyEndpointsDiffer(state.service, service)) changed.push(id);
      this.#assign(id, state, service);
    }
    for (const service of removed) {
      const { id } = service;
      const state = this.#services.get(id);
      if (state?.service !== service) continue;
      // What exchanges under way still hold keeps its endpoints, so that they may retry.
      this.#services.delete(id);
      this.counters.delete(id);
      this.#leave(state.endpoints.targets);
      changed.push(id);
    }
    return changed;
  }

  #assign(id: string, known: ServiceState | undefined, service: Service): void {
    const state = known ?? { id, service, endpoints: new RoundRobin(), counters: this.counters.get(id) };
    if (known === undefined) this.#services.set(id, state);
    state.service = service;
    // A port no socket can have would make connecting throw.
    const dialable = service.endpoints.filter(({ port }) => Number.isInteger(port) && port > 0 && port < 65536);
    const targets = dialable.map(({ host, port, name }) => ({ pool: this.#pool(host, port), name: name ?? "" }));
    const before = state.endpoints.targets;
    for (const { pool } of targets) pool.services++;
    state.endpoints.update(targets);
    this.#leave(before);
  }

  #leave(targets: readonly Target[]): void {
    for (const { pool } of targets) {
      if (--pool.services > 0) continue;
      pool.retire();
      this.#pools.delete(pool.key);
    }
  }

  get(id: string): ServiceState | undefined {
    return this.#services.get(id);
  }

  endpointCounters(): Record<string, EndpointCounters> {
    return structuredClone(Object.fromEntries([...this.#pools].map(([key, pool]) => [key, pool.counters])));
  }

  close(): void {
    this.update([]);
  }

  #pool(host: string, port: number): EndpointPool {
    const key = endpointKey(host, port);
    let pool = this.#pools.get(key);
    if (pool === undefined) this.#pools.set(key, (pool = new EndpointPool(host, port, this.#context)));
    return pool;
  }
}

function onlyEndpointsDiffer(before: Service, after: Service): boolean {
  const { endpoints: _were, ...rest } = before;
  const { endpoints: _are, ...others } = after;
  return JSON.stringify(rest) === JSON.stringify(others);
}
