// Counters per listener, route, service and endpoint. They outlive table swaps, keyed by id, and are dropped when a
// table no longer names the thing.

/** Upper bounds of the duration histogram, in milliseconds. */
export const DURATION_BOUNDS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 300, 1_200, 5_000];

export interface TrafficCounters {
  requests: number;
  /** Answers by class: index 1 for 1xx (upgrades) to 5 for 5xx. Index 0 is unused. */
  statuses: [number, number, number, number, number, number];
  responseBytes: number;
  /** Sum of durations in milliseconds. */
  durationSum: number;
  /** How many took at most `DURATION_BOUNDS[index]` and longer than the bound before; the last counts all longer ones. */
  durations: number[];
  /** Requests under way. */
  active: number;
}

export interface ListenerCounters extends TrafficCounters {
  connectionsAccepted: number;
  connectionsOpen: number;
}

export interface EndpointCounters extends TrafficCounters {
  connectionsOpened: number;
  connectionsOpen: number;
  connectionsIdle: number;
  connectFailures: number;
  /** Attempts given up on this endpoint and tried elsewhere or again. */
  retries: number;
  /** Active health checks that went wrong. */
  failedChecks: number;
  /** Times it was left out as an outlier, by any service. */
  ejections: number;
}

export interface MirrorCounters {
  /** Mirrored requests that were answered, whatever the status. */
  answered: number;
  /** Given up or never begun because the mirror did not keep up. */
  dropped: number;
  /** Broken connections, and those that could not be made. */
  failed: number;
  /** Under way. */
  active: number;
}

/** What a service takes beside requests of clients. */
export interface ServiceCounters extends TrafficCounters {
  mirrored: MirrorCounters;
}

/** Of connections, or clients' sessions with UDP, that are carried as they are. */
export interface StreamCounters {
  /** So far. */
  connections: number;
  /** Open now. */
  active: number;
  /** Without an endpoint that would have them. */
  failed: number;
  /** Bytes from clients, and to them. */
  received: number;
  sent: number;
  /** Datagrams from clients, to them, and those that could not be passed on. */
  datagramsReceived: number;
  datagramsSent: number;
  datagramsDropped: number;
}

/** Snapshot of all counters; endpoints are keyed by `host:port`. */
export interface ProxyStats {
  requests: number;
  listeners: Record<string, ListenerCounters>;
  routes: Record<string, TrafficCounters>;
  services: Record<string, ServiceCounters>;
  endpoints: Record<string, EndpointCounters>;
  /** By stream route, and by the services these lead to. */
  streams: Record<string, StreamCounters>;
  streamServices: Record<string, StreamCounters>;
}

/** Of what has answered nothing yet, as most of thousands of routes: never changed. */
const NO_STATUSES: TrafficCounters["statuses"] = [0, 0, 0, 0, 0, 0];
const NO_DURATIONS: number[] = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0);

export function newTraffic(): TrafficCounters {
  return {
    requests: 0,
    statuses: NO_STATUSES,
    responseBytes: 0,
    durationSum: 0,
    durations: NO_DURATIONS,
    active: 0,
  };
}

export function newListenerCounters(): ListenerCounters {
  return { ...newTraffic(), connectionsAccepted: 0, connectionsOpen: 0 };
}

export function newEndpointCounters(): EndpointCounters {
  const connections = { connectionsOpened: 0, connectionsOpen: 0, connectionsIdle: 0, connectFailures: 0, retries: 0 };
  return { ...newTraffic(), ...connections, failedChecks: 0, ejections: 0 };
}

export function newServiceCounters(): ServiceCounters {
  return { ...newTraffic(), mirrored: { answered: 0, dropped: 0, failed: 0, active: 0 } };
}

export function newStreamCounters(): StreamCounters {
  const datagrams = { datagramsReceived: 0, datagramsSent: 0, datagramsDropped: 0 };
  return { connections: 0, active: 0, failed: 0, received: 0, sent: 0, ...datagrams };
}

/** Counts a finished request; `bucket` is `durationBucket` of its duration. */
export function countRequest(
  counters: TrafficCounters,
  status: number,
  bytes: number,
  duration: number,
  bucket: number,
): void {
  if (counters.requests++ === 0) {
    counters.statuses = [...NO_STATUSES];
    counters.durations = NO_DURATIONS.slice();
  }
  const statusClass = (status / 100) | 0;
  if (statusClass >= 1 && statusClass <= 5) counters.statuses[statusClass as 1]++;
  counters.responseBytes += bytes;
  counters.durationSum += duration;
  counters.durations[bucket]!++;
}

/** Index of the histogram's bucket for a duration in milliseconds. */
export function durationBucket(duration: number): number {
  let bucket = 0;
  while (bucket < DURATION_BOUNDS.length && duration > DURATION_BOUNDS[bucket]!) bucket++;
  return bucket;
}

/** Counters by id, created on demand. */
export class CounterSet<T extends object> {
  readonly #create: () => T;
  readonly #byId = new Map<string, T>();

  constructor(create: () => T) {
    this.#create = create;
  }

  get(id: string): T {
    let counters = this.#byId.get(id);
    if (counters === undefined) this.#byId.set(id, (counters = this.#create()));
    return counters;
  }

  retain(has: (id: string) => boolean): void {
    for (const id of this.#byId.keys()) if (!has(id)) this.#byId.delete(id);
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  snapshot(): Record<string, T> {
    return snapshotOf(this.#byId);
  }
}

/** Copies of counters, by id. */
export function snapshotOf<T extends object>(counters: Iterable<[string, T]>): Record<string, T> {
  return Object.fromEntries(Array.from(counters, ([id, each]) => [id, copyOf(each)]));
}

/** Of plain numbers, and lists and objects of them: a fraction of what structuredClone costs, while no request is served. */
function copyOf<T extends object>(counters: T): T {
  if (Array.isArray(counters)) return counters.slice() as unknown as T;
  const copy = { ...counters };
  for (const key in copy) {
    const value = copy[key];
    if (typeof value === "object" && value !== null) copy[key] = copyOf(value);
  }
  return copy;
}

export function emptyStats(): ProxyStats {
  return { requests: 0, listeners: {}, routes: {}, services: {}, endpoints: {}, streams: {}, streamServices: {} };
}

/** The sum of all, number by number. */
export function mergeStats(all: readonly ProxyStats[]): ProxyStats {
  const sum = emptyStats();
  for (const stats of all) addNumbers(sum as unknown as Numbers, stats as unknown as Numbers);
  return sum;
}

interface Numbers {
  [key: string]: number | Numbers;
}

function addNumbers(sum: Numbers, more: Numbers): void {
  for (const [key, value] of Object.entries(more)) {
    const present = sum[key];
    if (typeof value === "number") sum[key] = (typeof present === "number" ? present : 0) + value;
    else if (present === undefined) sum[key] = copyOf(value);
    else addNumbers(present as Numbers, value);
  }
}
