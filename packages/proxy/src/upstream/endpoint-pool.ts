// The connections to one endpoint by one protocol: idle ones for reuse (latest first), and whether it refused lately.

import { performance } from "node:perf_hooks";
import type { Socket } from "node:net";
import { SessionPool } from "../http2/session-pool.ts";
import type { SessionPoolOwner } from "../http2/session-pool.ts";
import { AdoptedTransport } from "../io/net-transport.ts";
import type { Io } from "../io/network.ts";
import type { Limits } from "../limits.ts";
import type { EndpointCounters } from "../stats.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { BackendProtocol } from "./backend-protocol.ts";
import { UpstreamConnection } from "./upstream-connection.ts";
import type { UpstreamStream, UpstreamUser } from "./upstream.ts";
import type { UpstreamPool } from "./upstream-connection.ts";

/** What pools need of the proxy around them. */
export interface UpstreamContext {
  limits: Limits;
  wheel: TimerWheel;
  io: Io;
}

export class EndpointPool implements UpstreamPool, SessionPoolOwner {
  readonly host: string;
  readonly port: number;
  /** `host:port`, IPv6 in brackets. */
  readonly key: string;
  readonly protocol: BackendProtocol;
  readonly limits: Limits;
  readonly wheel: TimerWheel;
  readonly io: Io;
  /** Of the address, whatever protocols it is spoken to by. */
  readonly counters: EndpointCounters;
  /** performance.now() until which it is skipped; 0 when it is fine. */
  downUntil = 0;
  /** How many endpoints of services it stands for; retired when none is left. */
  services = 0;
  #idle: UpstreamConnection[] = [];
  /** Null where HTTP/1.1 is spoken without asking. */
  readonly #sessions: SessionPool | null;
  #retired = false;

  constructor(
    { host, port }: { host: string; port: number },
    protocol: BackendProtocol,
    counters: EndpointCounters,
    { limits, wheel, io }: UpstreamContext,
  ) {
    this.host = host;
    this.port = port;
    this.key = endpointKey(host, port);
    this.protocol = protocol;
    this.counters = counters;
    this.limits = limits;
    this.wheel = wheel;
    this.io = io;
    const http2 = protocol.name === "h2c" || protocol.name === "https";
    this.#sessions = http2 ? new SessionPool(this, protocol.tls) : null;
  }

  /** A place for one request: on the idle connection used last, or on a new one, then `user` hears of its success or
   * failure. `fresh`: not on an idle one, which may be stale. `upgrade`: a tunnel is asked for. */
  acquire(user: UpstreamUser, fresh: boolean, upgrade: boolean): UpstreamStream {
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle !== undefined) {
      this.counters.connectionsIdle--;
      return idle;
    }
    if (this.#sessions !== null) return this.#sessions.acquire(user, fresh, upgrade);
    this.counters.connectionsOpen++;
    return new UpstreamConnection(this, user);
  }

  adopt(socket: Socket, user: UpstreamUser): void {
    this.onConnected();
    user.onConnected(new UpstreamConnection(this, user, new AdoptedTransport(socket)));
  }

  release(connection: UpstreamConnection): void {
    const { upstreamIdleConnections } = this.limits;
    const shareable = !this.#retired && this.protocol.proxyProtocol === 0;
    if (!shareable || this.#idle.length >= upstreamIdleConnections) return connection.destroy();
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
    this.onRefused();
  }

  onClosed(connection: UpstreamConnection, whileConnecting: boolean): void {
    this.counters.connectionsOpen--;
    this.forget(connection);
    if (whileConnecting) this.onRefused();
  }

  onRefused(): void {
    this.counters.connectFailures++;
    this.downUntil = performance.now() + this.limits.unhealthyTimeout;
    // Whoever refuses new connections has no use for old ones either: the process behind them is gone or going.
    this.#closeIdle();
  }

  /** No table names the endpoint any more: idle connections close now, busy ones when their exchange is over. */
  retire(): void {
    this.#retired = true;
    this.#sessions?.retire();
    this.#closeIdle();
  }

  #closeIdle(): void {
    this.#sessions?.closeIdle();
    const idle = this.#idle;
    this.#idle = [];
    this.counters.connectionsIdle -= idle.length;
    for (const connection of idle) connection.destroy();
  }
}

export function endpointKey(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
