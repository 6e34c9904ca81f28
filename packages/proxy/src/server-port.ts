// One listening socket: accepts connections for the listener it stands for. The listener's compiled configuration is
// looked up per request, so that a table swap reaches open connections at once.

import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Server as TlsServer } from "node:tls";
import type { CompiledListener } from "./compiled-table.ts";
import { isTrusted } from "./compiled-table.ts";
import type { ClientFacts } from "./forwarding-fields.ts";
import { ClientConnection } from "./http1/client-connection.ts";
import { AcceptedTransport } from "./io/net-transport.ts";
import { createTcpListener } from "./io/tcp-listener.ts";
import type { Accepted, TcpListener } from "./io/tcp-listener.ts";
import type { Transport } from "./io/transport.ts";
import type { TlsTermination } from "./routing-table.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "./server-context.ts";
import type { ListenerCounters } from "./stats.ts";
import { tlsOptions } from "./tls.ts";

/** How long a TLS client may take for its handshake, in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

export class ServerPort implements AcceptingPort {
  readonly host: string;
  /** As configured, 0 for any free port. */
  readonly requestedPort: number;
  counters: ListenerCounters;
  draining = false;
  readonly #context: ServerContext;
  readonly #server: TcpListener;
  readonly #connections = new Set<OpenConnection>();
  #listener: CompiledListener;
  #tls: TlsServer | null = null;
  #tlsSource = "";
  /** Sockets without a TLS session yet, by `peerOf`. */
  readonly #handshaking = new Map<string, Socket>();
  #onEmpty: (() => void)[] = [];

  constructor(
    address: { host: string; port: number },
    listener: CompiledListener,
    counters: ListenerCounters,
    context: ServerContext,
  ) {
    this.host = address.host;
    this.requestedPort = address.port;
    this.#context = context;
    this.#listener = listener;
    this.counters = counters;
    this.#server = createTcpListener(context.io, {
      ...address,
      reusePort: false,
      onAccept: (accepted) => this.#accept(accepted),
      onError: (error) => context.log(`listener ${this.host}:${this.port}: ${error.message}`),
    });
    this.assign(listener, counters);
  }

  get listener(): CompiledListener {
    return this.#listener;
  }

  /** Port it listens on, 0 before `open`. */
  get port(): number {
    return this.#server.port;
  }

  /** Points the socket at a new configuration; requests from now on see it. Throws when its certificates cannot be
   * used: routing is new then, the certificates are still the old ones. */
  assign(listener: CompiledListener, counters: ListenerCounters): void {
    this.#listener = listener;
    this.counters = counters;
    const tls = listener.listener.tls;
    const source = tls === undefined ? "" : JSON.stringify(tls);
    if (source === this.#tlsSource) return;
    this.#tls = tls === undefined ? null : this.#createTls(tls);
    this.#tlsSource = source;
  }

  #createTls(tls: TlsTermination): TlsServer {
    const options = { ...tlsOptions(tls), allowHalfOpen: true, handshakeTimeout: HANDSHAKE_TIMEOUT };
    const server = createTlsServer(options, (socket) => {
      this.#handshaking.delete(peerOf(socket));
      this.#serve(new AcceptedTransport(socket), true);
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  /** Starts listening. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  open(): Promise<void> {
    return this.#server.open();
  }

  #accept(accepted: Accepted): void {
    if (this.#tls === null) return this.#serve(accepted.transport(), false);
    const socket = accepted.socket();
    const peer = peerOf(socket);
    this.#handshaking.set(peer, socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#handshaking.delete(peer));
    this.#tls.emit("connection", socket);
  }

  #serve(transport: Transport, tls: boolean): void {
    const connection = new ClientConnection(transport, this, this.#context, tls);
    this.#connections.add(connection);
    this.counters.connectionsAccepted++;
    this.counters.connectionsOpen++;
  }

  clientFacts(listener: CompiledListener, address: string, tls: boolean): ClientFacts {
    return { address, trusted: isTrusted(listener, address), tls, serverName: null, localPort: this.port };
  }

  forget(connection: OpenConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.counters.connectionsOpen--;
    if (this.#connections.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  /** Stops accepting; idle connections close now, busy ones after their answer, all within `graceMs`. May be called
   * again to shorten the time. */
  async close(graceMs: number): Promise<void> {
    this.draining = true;
    const closed = this.#server.close();
    for (const socket of this.#handshaking.values()) socket.destroy();
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size > 0) await this.#emptied(graceMs);
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #emptied(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onEmpty.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
