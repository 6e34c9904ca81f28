// Every service and endpoint of the current table with the state that outlives a swap: pools, health, whose turn it is.

import { difference } from "../match/difference.ts";
import type { Endpoint, Service } from "../routing-table.ts";
import { CounterSet, newEndpointCounters, newServiceCounters, snapshotOf } from "../stats.ts";
import type { EndpointCounters, ServiceCounters } from "../stats.ts";
import type { BackendProtocol } from "./backend-protocol.ts";
import { endpointKey, EndpointPool } from "./endpoint-pool.ts";
import type { UpstreamContext } from "./endpoint-pool.ts";
import { ServiceState } from "./service-state.ts";

export class Upstreams {
  readonly #context: UpstreamContext;
  /** By address and protocol. */
  readonly #pools = new Map<string, EndpointPool>();
  /** By address. */
  readonly #addresses = new Map<string, { counters: EndpointCounters; pools: number }>();
  readonly #services = new Map<string, ServiceState>();
  #current: readonly Service[] = [];
  readonly counters: CounterSet<ServiceCounters> = new CounterSet(newServiceCounters);

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
      state.retire();
      this.#leave(state.pools());
      changed.push(id);
    }
    return changed;
  }

  #assign(id: string, known: ServiceState | undefined, service: Service): void {
    const state = known ?? new ServiceState(id, service, this.counters.get(id));
    if (known === undefined) this.#services.set(id, state);
    const before = state.pools();
    state.update(service, (endpoint, protocol) => this.#pool(endpoint, protocol));
    for (const pool of state.pools()) pool.services++;
    this.#leave(before);
  }

  #leave(pools: EndpointPool[]): void {
    for (const pool of pools) {
      if (--pool.services > 0) continue;
      pool.retire();
      this.#pools.delete(poolKey(pool, pool.protocol));
      const address = this.#addresses.get(pool.key)!;
      if (--address.pools === 0) this.#addresses.delete(pool.key);
    }
  }

  get(id: string): ServiceState | undefined {
    return this.#services.get(id);
  }

  endpointCounters(): Record<string, EndpointCounters> {
    return snapshotOf([...this.#addresses].map(([key, { counters }]) => [key, counters]));
  }

  close(): void {
    this.update([]);
  }

  #pool(endpoint: Endpoint, protocol: BackendProtocol): EndpointPool {
    const key = poolKey(endpoint, protocol);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      const address = this.#address(endpointKey(endpoint.host, endpoint.port));
      address.pools++;
      this.#pools.set(key, (pool = new EndpointPool(endpoint, protocol, address.counters, this.#context)));
    }
    return pool;
  }

  #address(key: string): { counters: EndpointCounters; pools: number } {
    let address = this.#addresses.get(key);
    if (address === undefined) this.#addresses.set(key, (address = { counters: newEndpointCounters(), pools: 0 }));
    return address;
  }
}

/** Two services that speak differently to one address must not share its connections. */
function poolKey({ host, port }: { host: string; port: number }, protocol: BackendProtocol): string {
  const address = endpointKey(host, port);
  return protocol.key === "" ? address : `${address} ${protocol.key}`;
}

function onlyEndpointsDiffer(before: Service, after: Service): boolean {
  const { endpoints: _were, ...rest } = before;
  const { endpoints: _are, ...others } = after;
  return JSON.stringify(rest) === JSON.stringify(others);
}
