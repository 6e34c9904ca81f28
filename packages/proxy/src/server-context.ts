// What stands between a listening socket and its connections, whatever protocol these speak: each side names here what
// it needs of the other.

import type { AccessRecord } from "./access.ts";
import type { CompiledListener, CompiledRoute } from "./compiled-table.ts";
import type { ConnectionFacts } from "./connection-facts.ts";
import type { ClientFacts } from "./forwarding-fields.ts";
import type { RequestHead } from "./http1/request-head.ts";
import type { Io } from "./io/network.ts";
import type { TcpHandle } from "./io/tcp-handles.ts";
import type { Transport } from "./io/transport.ts";
import type { Limits } from "./limits.ts";
import type { ListenerCounters } from "./stats.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { EndpointPool } from "./upstream/endpoint-pool.ts";
import type { ServiceState } from "./upstream/service-state.ts";

/** What connections need of the proxy around them. */
export interface ServerContext {
  limits: Limits;
  wheel: TimerWheel;
  io: Io;
  reusePort: boolean;
  boundSocket: (host: string, port: number) => TcpHandle | undefined;
  ticketSecret: string;
  serverName: string;
  log: (line: string) => void;
  /** `head` is null for a request that could not be read, `started` is performance.now() of it. */
  openRecord(listener: string, address: string, port: number, head: RequestHead | null, started: number): AccessRecord;
  closeRecord(
    record: AccessRecord,
    port: AcceptingPort,
    route: CompiledRoute | null,
    service: ServiceState | null,
    endpoint: EndpointPool | null,
  ): void;
  /** A connection or session that was carried as it is has ended. */
  reportStream(record: AccessRecord): void;
}

/** What a connection needs of the socket that accepted it. */
export interface AcceptingPort {
  /** The configuration in force: asked per request. */
  readonly listener: CompiledListener;
  readonly counters: ListenerCounters;
  /** No further connections: open ones close after their current answer. */
  readonly draining: boolean;
  clientFacts(listener: CompiledListener, address: string, connection: ConnectionFacts): ClientFacts;
  /** A connection that began as HTTP/1.1 speaks HTTP/2 (prior knowledge, RFC 9113 section 3.3): it is served anew, from
   * `unread` on, which is all that was read. Only while `onData` runs. */
  serveHttp2(before: OpenConnection, transport: Transport, unread: Buffer, facts: ConnectionFacts): void;
  /** The connection is gone. */
  forget(connection: OpenConnection): void;
}

/** What a socket needs of the connections it has accepted. */
export interface OpenConnection {
  /** Closes now when idle, else after the current answer (which then says so). */
  drain(): void;
  destroy(): void;
}
