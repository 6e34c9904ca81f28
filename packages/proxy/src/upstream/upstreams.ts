// Every service and endpoint of the current table with the state that outlives a swap: pools, health, whose turn it is.

import type { Endpoint, Service } from "../routing-table.ts";
import { CounterSet, newEndpointCounters, newTraffic } from "../stats.ts";
import type { EndpointCounters, TrafficCounters } from "../stats.ts";
import { RoundRobin } from "./balancer.ts";
import type { Target } from "./balancer.ts";
import { backendProtocol, PLAIN_HTTP } from "./backend-protocol.ts";
import type { BackendProtocol } from "./backend-protocol.ts";
import { endpointKey, EndpointPool } from "./endpoint-pool.ts";
import type { UpstreamContext } from "./endpoint-pool.ts";

export interface ServiceState {
  readonly id: string;
  service: Service;
  protocol: BackendProtocol;
  /** Why its endpoints cannot be spoken to; empty when they can. */
  problem: string;
  readonly endpoints: RoundRobin;
  readonly counters: TrafficCounters;
}

export class Upstreams {
  readonly #context: UpstreamContext;
  /** By address and protocol. */
  readonly #pools = new Map<string, EndpointPool>();
  /** By address. */
  readonly #addresses = new Map<string, { counters: EndpointCounters; pools: number }>();
  readonly #services = new Map<string, ServiceState>();
  #current: Record<string, Service> | null = null;
  readonly counters: CounterSet<TrafficCounters> = new CounterSet(newTraffic);

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
      this.#leave(state.endpoints.targets);
      changed.push(id);
    }
    return changed;
  }

  #assign(id: string, known: ServiceState | undefined, service: Service): void {
    const { protocol, problem } =
      known !== undefined && onlyEndpointsDiffer(known.service, service) ? known : speech(service);
    const state = known ?? {
      id,
      service,
      protocol,
      problem,
      endpoints: new RoundRobin(),
      counters: this.counters.get(id),
    };
    if (known === undefined) this.#services.set(id, state);
    Object.assign(state, { service, protocol, problem });
    // A port no socket can have would make connecting throw.
    const usable = problem === "" ? service.endpoints : [];
    const dialable = usable.filter(({ port }) => Number.isInteger(port) && port > 0 && port < 65536);
    const targets = dialable.map((endpoint) => ({ pool: this.#pool(endpoint, protocol), name: endpoint.name ?? "" }));
    const before = state.endpoints.targets;
    for (const { pool } of targets) pool.services++;
    state.endpoints.update(targets);
    this.#leave(before);
  }

  #leave(targets: readonly Target[]): void {
    for (const { pool } of targets) {
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
    return structuredClone(Object.fromEntries([...this.#addresses].map(([key, { counters }]) => [key, counters])));
  }

  close(): void {
    this.update({});
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

function speech(service: Service): { protocol: BackendProtocol; problem: string } {
  try {
    return { protocol: backendProtocol(service), problem: "" };
  } catch (error) {
    return { protocol: PLAIN_HTTP, problem: `backend-tls-invalid: ${(error as Error).message}` };
  }
}

function onlyEndpointsDiffer(before: Service, after: Service): boolean {
  const { endpoints: _were, ...rest } = before;
  const { endpoints: _are, ...others } = after;
  return JSON.stringify(rest) === JSON.stringify(others);
}
