// Every service and endpoint of the current table with the state that outlives a swap: pools, health, whose turn it is.

import type { Service } from "../routing-table.ts";
import { CounterSet, newServiceCounters } from "../stats.ts";
import type { EndpointCounters, ServiceCounters } from "../stats.ts";
import { endpointKey, EndpointPool } from "./endpoint-pool.ts";
import type { UpstreamContext } from "./endpoint-pool.ts";
import { ServiceState } from "./service-state.ts";

export class Upstreams {
  readonly #context: UpstreamContext;
  readonly #pools = new Map<string, EndpointPool>();
  readonly #services = new Map<string, ServiceState>();
  #current: Record<string, Service> | null = null;
  readonly counters: CounterSet<ServiceCounters> = new CounterSet(newServiceCounters);

  constructor(context: UpstreamContext) {
    this.#context = context;
  }

  /** Takes over the services of a new table; one that is the same object as before costs nothing. Exchanges under way keep the
   * state objects they hold. Returns the ids of services that came, went, or changed in more than their endpoints. */
  update(services: Record<string, Service>): string[] {
    const changed: string[] = [];
    if (services === this.#current) return changed;
    this.#current = services;
    let named = 0;
    for (const id in services) {
      named++;
      const service = services[id]!;
      const state = this.#services.get(id);
      if (state?.service === service) continue;
      if (state === undefined || !onlyEndpointsDiffer(state.service, service)) changed.push(id);
      this.#assign(id, state, service);
    }
    if (named === this.#services.size) return changed;
    // What exchanges under way still hold keeps its endpoints, so that they may retry.
    for (const [id, state] of this.#services) {
      if (Object.hasOwn(services, id)) continue;
      this.#services.delete(id);
      this.counters.delete(id);
      state.retire();
      this.#leave(state.pools());
      changed.push(id);
    }
    return changed;
  }

  #assign(id: string, known: ServiceState | undefined, service: Service): void {
    const state = known ?? new ServiceState(id, service, this.counters.get(id));
    if (known === undefined) this.#services.set(id, state);
    // A port no socket can have would make connecting throw.
    const dialable = service.endpoints.filter(({ port }) => Number.isInteger(port) && port > 0 && port < 65536);
    const endpoints = dialable.map(({ host, port, name }) => ({ pool: this.#pool(host, port), name: name ?? "" }));
    const before = state.pools();
    state.update(service, endpoints);
    for (const pool of state.pools()) pool.services++;
    this.#leave(before);
  }

  #leave(pools: EndpointPool[]): void {
    for (const pool of pools) {
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
    this.update({});
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
