// The data plane as one object: give it routing tables, it carries traffic.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { AccessRecord } from "./access.ts";
import type { CompiledListener } from "./compiled-table.ts";
import type { RequestHead } from "./http1/request-head.ts";
import { BEST_IO } from "./io/network.ts";
import type { Io } from "./io/network.ts";
import type { TcpHandle } from "./io/tcp-handles.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { explain } from "./match/explain.ts";
import type { Explanation, RequestDescription } from "./match/explain.ts";
import { SessionTokens } from "./policies/session.ts";
import type { RoutingTable } from "./routing-table.ts";
import type { ServerContext } from "./server-context.ts";
import { ServerPorts } from "./server-ports.ts";
import type { ListenerState } from "./server-ports.ts";
import { CounterSet, countRequest, durationBucket, newListenerCounters } from "./stats.ts";
import type { ListenerCounters, ProxyStats } from "./stats.ts";
import { TableCompiler } from "./table-compiler.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { Upstreams } from "./upstream/upstreams.ts";
import { wallTime } from "./wall-time.ts";

export type { AccessRecord } from "./access.ts";
export type { Candidate, Explanation, Mismatch, RequestDescription } from "./match/explain.ts";
export type { ListenerState } from "./server-ports.ts";
export type { ProxyStats } from "./stats.ts";

export interface ProxyOptions {
  /** Called once per finished request, and per connection that was carried as it is. */
  onAccess?: (record: AccessRecord) => void;
  /** One line on something that needs a person. Default: dropped. */
  log?: (line: string) => void;
  /** Value of X-Forwarded-Server. Default: the machine's host name. */
  serverName?: string;
  limits?: Partial<Limits>;
  /** How bytes move. Default: the fastest way this runtime has. */
  io?: Io;
  /** Other processes listen on the same addresses, and the system shares connections among them (SO_REUSEPORT). */
  reusePort?: boolean;
  /** Sockets that were bound elsewhere to be listened on here, asked for when an address is opened; undefined: it is bound here. */
  boundSocket?: (host: string, port: number) => TcpHandle | undefined;
  /** What session tokens and TLS session tickets are encrypted with: proxies that have the same one understand each other's, also after a restart.
   * Default: one that nobody else knows. */
  sessionSecret?: string;
}

export interface Proxy {
  /** Makes `table` the configuration. Routing changes before the call returns; the promise settles when sockets have
   * been opened and closed, and says per address how that went. Never rejects for an address that cannot be had. */
  apply(table: RoutingTable): Promise<ListenerState[]>;
  /** Which route would take this request, and why not the others. */
  match(request: RequestDescription): Explanation;
  stats(): ProxyStats;
  /** Stops accepting, lets requests under way finish for at most `graceMs` milliseconds, closes everything. */
  close(options: { graceMs: number }): Promise<void>;
}

export function createProxy(options: ProxyOptions = {}): Proxy {
  return new DataPlane(options);
}

/** A compiler for tables that carries no traffic: for matching alone. */
export function offlineCompiler(): TableCompiler {
  const upstreams = new Upstreams({ limits: DEFAULT_LIMITS, wheel: new TimerWheel(), io: BEST_IO });
  return new TableCompiler(upstreams, new SessionTokens(undefined));
}

class DataPlane implements Proxy {
  readonly #upstreams: Upstreams;
  readonly #ports: ServerPorts;
  readonly #listenerCounters = new CounterSet<ListenerCounters>(newListenerCounters);
  readonly #context: ServerContext;
  readonly #compiler: TableCompiler;
  #requests = 0;

  constructor(options: ProxyOptions) {
    const wheel = new TimerWheel();
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { onAccess } = options;
    const io = options.io ?? BEST_IO;
    this.#upstreams = new Upstreams({ limits, wheel, io });
    this.#compiler = new TableCompiler(this.#upstreams, new SessionTokens(options.sessionSecret));
    this.#context = {
      limits,
      wheel,
      io,
      reusePort: options.reusePort ?? false,
      boundSocket: options.boundSocket ?? (() => undefined),
      ticketSecret: options.sessionSecret ?? randomBytes(32).toString("hex"),
      serverName: options.serverName ?? hostname(),
      log: options.log ?? (() => {}),
      openRecord: (listener, address, port, head, started) =>
        newRecord(listener, address, port, head, started, ++this.#requests),
      closeRecord: (record, port, route, service, endpoint) => {
        const { status, bytes, duration } = record;
        const bucket = durationBucket(duration);
        countRequest(port.counters, status, bytes, duration, bucket);
        port.counters.active--;
        if (route !== null) {
          countRequest(route.counters, status, bytes, duration, bucket);
          route.counters.active--;
        }
        if (service !== null) countRequest(service.counters, status, bytes, duration, bucket);
        if (endpoint !== null) countRequest(endpoint.counters, status, bytes, duration, bucket);
        onAccess?.(record);
      },
      reportStream: (record) => onAccess?.(record),
    };
    this.#ports = new ServerPorts(this.#context, (name) => this.#listenerCounters.get(name));
  }

  apply(table: RoutingTable): Promise<ListenerState[]> {
    const listeners = this.#compiler.update(table);
    this.#listenerCounters.retain((name) => listeners.has(name));
    return this.#ports.update(listeners);
  }

  match(request: RequestDescription): Explanation {
    const listener: CompiledListener | undefined = this.#compiler.listeners.get(request.listener);
    return explain(listener?.matcher, request);
  }

  stats(): ProxyStats {
    return {
      requests: this.#requests,
      listeners: this.#listenerCounters.snapshot(),
      routes: this.#compiler.routeCounters(),
      services: this.#upstreams.counters.snapshot(),
      endpoints: this.#upstreams.endpointCounters(),
      streams: this.#compiler.streams.counters(),
      streamServices: this.#compiler.streams.serviceCounters(),
    };
  }

  async close({ graceMs }: { graceMs: number }): Promise<void> {
    await this.#ports.close(graceMs);
    this.#upstreams.close();
  }
}

function newRecord(
  listener: string,
  clientAddress: string,
  clientPort: number,
  head: RequestHead | null,
  started: number,
  requestCount: number,
): AccessRecord {
  return {
    time: wallTime(started),
    duration: 0,
    listener,
    clientAddress,
    clientPort,
    method: head?.method ?? "",
    target: head?.target ?? "",
    protocol: head?.protocol ?? "",
    host: head?.host ?? "",
    userAgent: head?.userAgent ?? "",
    referer: head?.referer ?? "",
    status: 0,
    bytes: 0,
    requestCount,
    route: "",
    service: "",
    endpoint: "",
    endpointName: "",
    retries: 0,
    reason: "",
  };
}
