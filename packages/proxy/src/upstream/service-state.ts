// One service with what outlives a table swap: its endpoints and how they fare, whose turn it is, what it takes of retries.

import type { Endpoint, HashKey, Service } from "../routing-table.ts";
import type { ServiceCounters } from "../stats.ts";
import { backendProtocol, PLAIN_HTTP } from "./backend-protocol.ts";
import type { BackendProtocol } from "./backend-protocol.ts";
import type { Balancer } from "./balancer.ts";
import { RoundRobin } from "./balancer.ts";
import { ConnectionGate } from "./connection-gate.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import { HealthProbe } from "./health-check.ts";
import { LeastRequests } from "./least-requests.ts";
import { OutlierDetector, OutlierState } from "./outliers.ts";
import { RetryBudgetMeter } from "./retry-budget.ts";
import { Target } from "./target.ts";

const UNLIMITED = { connections: Infinity, queue: 0 };

/** The pool for an endpoint that is spoken to so. */
export type PoolOf = (endpoint: Endpoint, protocol: BackendProtocol) => EndpointPool;

export class ServiceState {
  readonly id: string;
  readonly counters: ServiceCounters;
  /** As the table has it. */
  service: Service;
  protocol: BackendProtocol = PLAIN_HTTP;
  /** Why its endpoints cannot be spoken to; empty when they can. */
  problem = "";
  endpoints: Balancer = new RoundRobin();
  /** What requests are told apart by; null when it does not matter. */
  hashBy: HashKey | null = null;
  retryBudget: RetryBudgetMeter | null = null;
  readonly #targets = new Map<EndpointPool, Target>();
  readonly #probes = new Map<Target, HealthProbe>();
  #outliers: OutlierDetector | null = null;
  /** JSON of the parts of the configuration that are compared as a whole. */
  #balancing = "";
  #budget = "";
  #check = "";
  #speech = "";

  /** `update` must follow. */
  constructor(id: string, service: Service, counters: ServiceCounters) {
    this.id = id;
    this.service = service;
    this.counters = counters;
  }

  /** Takes over the service as a new table has it; what did not change goes on. */
  update(service: Service, poolOf: PoolOf): void {
    this.service = service;
    this.#learnToSpeak(service);
    this.#configure(service);
    // A port no socket can have would make connecting throw.
    const dialable = service.endpoints.filter(({ port }) => Number.isInteger(port) && port > 0 && port < 65536);
    const usable = this.problem === "" ? dialable : [];
    const endpoints = usable.map((endpoint) => ({ pool: poolOf(endpoint, this.protocol), name: endpoint.name ?? "" }));
    const pools = new Set(endpoints.map(({ pool }) => pool));
    for (const [pool, target] of this.#targets) {
      if (pools.has(pool)) continue;
      this.#targets.delete(pool);
      this.#stopProbe(target);
    }
    const targets = [...new Set(endpoints.map((endpoint) => this.#target(endpoint)))];
    for (const target of targets) this.#equip(target, service);
    this.#outliers?.watch(targets.map((target) => target.outlier!));
    this.endpoints.update(targets);
  }

  pools(): EndpointPool[] {
    return [...this.#targets.keys()];
  }

  /** The endpoint of that address, if the service has it. */
  find(key: string): Target | undefined {
    for (const target of this.#targets.values()) if (target.pool.key === key) return target;
    return undefined;
  }

  /** No table names it any more. Exchanges under way keep their endpoints, so that they may retry. */
  retire(): void {
    for (const probe of this.#probes.values()) probe.stop();
    this.#probes.clear();
  }

  #learnToSpeak(service: Service): void {
    const { protocol, tls, proxyProtocol } = service;
    const speech = JSON.stringify({ protocol, tls, proxyProtocol });
    if (this.#speech === speech) return;
    this.#speech = speech;
    this.problem = "";
    try {
      this.protocol = backendProtocol(service);
    } catch (error) {
      this.protocol = PLAIN_HTTP;
      this.problem = (error as Error).message;
    }
  }

  #configure({ balancing, retryBudget, healthCheck, outliers }: Service): void {
    if (changed(this.#balancing, balancing)) {
      this.#balancing = JSON.stringify(balancing ?? null);
      this.endpoints = newBalancer(balancing);
      this.hashBy = balancing?.type === "consistent-hash" ? balancing.by : null;
    }
    if (changed(this.#budget, retryBudget)) {
      this.#budget = JSON.stringify(retryBudget ?? null);
      this.retryBudget = retryBudget === undefined ? null : new RetryBudgetMeter(retryBudget);
    }
    if (changed(this.#check, healthCheck)) {
      this.#check = JSON.stringify(healthCheck ?? null);
      this.retire();
    }
    if (outliers === undefined) this.#outliers = null;
    else if (this.#outliers === null) this.#outliers = new OutlierDetector(outliers);
    else this.#outliers.config = outliers;
  }

  #target({ pool, name }: { pool: EndpointPool; name: string }): Target {
    let target = this.#targets.get(pool);
    if (target === undefined) this.#targets.set(pool, (target = new Target(pool, name)));
    target.name = name;
    return target;
  }

  #equip(target: Target, { limits, healthCheck }: Service): void {
    if (this.#outliers === null) target.outlier = null;
    else target.outlier ??= new OutlierState(this.#outliers, target.pool.counters);
    if (limits !== undefined) (target.gate ??= new ConnectionGate(limits)).change(limits);
    else if (target.gate !== null) {
      target.gate.change(UNLIMITED);
      target.gate = null;
    }
    if (healthCheck !== undefined && !this.#probes.has(target)) {
      this.#probes.set(target, new HealthProbe(target, healthCheck));
    }
  }

  #stopProbe(target: Target): void {
    this.#probes.get(target)?.stop();
    this.#probes.delete(target);
  }
}

const changed = (known: string, now: object | undefined): boolean => known !== JSON.stringify(now ?? null);

function newBalancer(balancing: Service["balancing"]): Balancer {
  switch (balancing?.type) {
    case "least-requests":
      return new LeastRequests();
    case "consistent-hash":
      return new ConsistentHash();
    default:
      return new RoundRobin();
  }
}
