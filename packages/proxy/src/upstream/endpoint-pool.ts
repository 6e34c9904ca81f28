// The connections to one endpoint: idle ones for reuse (latest first), and whether it refused lately.

import type { Io } from "../io/network.ts";
import type { Limits } from "../limits.ts";
import { newEndpointCounters } from "../stats.ts";
import type { EndpointCounters } from "../stats.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import { UpstreamConnection } from "./upstream-connection.ts";
import type { UpstreamStream, UpstreamUser } from "./upstream.ts";
import type { UpstreamPool } from "./upstream-connection.ts";

/** What pools need of the proxy around them. */
export interface UpstreamContext {
  limits: Limits;
  wheel: TimerWheel;
  io: Io;
}

export class EndpointPool implements UpstreamPool {
  readonly host: string;
  readonly port: number;
  /** `host:port`, IPv6 in brackets. */
  readonly key: string;
  readonly limits: Limits;
  readonly wheel: TimerWheel;
  readonly io: Io;
  readonly counters: EndpointCounters = newEndpointCounters();
  /** performance.now() until which it is skipped; 0 when it is fine. */
  downUntil = 0;
  /** How many endpoints of services it stands for; retired when none is left. */
  services = 0;
  #idle: UpstreamConnection[] = [];
  #retired = false;

  constructor(host: string, port: number, { limits, wheel, io }: UpstreamContext) {
    this.host = host;
    this.port = port;
    this.key = endpointKey(host, port);
    this.limits = limits;
    this.wheel = wheel;
    this.io = io;
  }

  /** A place for one request: on the idle connection used last, or on a new one, then `user` hears of its success or
   * failure. `fresh`: not on an idle one, which may be stale. */
  acquire(user: UpstreamUser, fresh: boolean): UpstreamStream {
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle !== undefined) {
      this.counters.connectionsIdle--;
      return idle;
    }
    this.counters.connectionsOpen++;
    return new UpstreamConnection(this, user);
  }

  release(connection: UpstreamConnection): void {
    if (this.#retired || this.#idle.length >= this.limits.upstreamIdleConnections) return connection.destroy();
    this.#idle.push(connection);
    this.counters.connectionsIdle++;
    connection.becomeIdle();
  }

  forget(connection: UpstreamConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.counters.connectionsIdle--;
  }

  onConnected(): void {
    this.counters.connectionsOpened++;
    this.downUntil = 0;
  }

  onConnectTimeout(): void {
    this.#markDown();
  }

  onClosed(connection: UpstreamConnection, whileConnecting: boolean): void {
    this.counters.connectionsOpen--;
    this.forget(connection);
    if (whileConnecting) this.#markDown();
  }

  #markDown(): void {
    this.counters.connectFailures++;
    this.downUntil = performance.now() + this.limits.unhealthyTimeout;
    // Whoever refuses new connections has no use for old ones either: the process behind them is gone or going.
    this.#closeIdle();
  }

  /** No table names the endpoint any more: idle connections close now, busy ones when their exchange is over. */
  retire(): void {
    this.#retired = true;
    this.#closeIdle();
  }

  #closeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    this.counters.connectionsIdle = 0;
    for (const connection of idle) connection.destroy();
  }
}

export function endpointKey(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
