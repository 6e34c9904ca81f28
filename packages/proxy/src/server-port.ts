// One listening socket: accepts connections for the listener it stands for. The listener's compiled configuration is
// looked up per request, so that a table swap reaches open connections at once.

import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Server as TlsServer } from "node:tls";
import type { CompiledListener } from "./compiled-table.ts";
import { isTrusted } from "./compiled-table.ts";
import type { ClientFacts } from "./forwarding-fields.ts";
import { ClientConnection } from "./http1/client-connection.ts";
import { AcceptedTransport } from "./io/net-transport.ts";
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
  readonly #server: Server;
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
    // A client's FIN must not make the socket answer with its own before the answer is out.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.assign(listener, counters);
  }

  get listener(): CompiledListener {
    return this.#listener;
  }

  /** Port it listens on, 0 before `open`. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
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
      this.#serve(socket, true);
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  /** Starts listening. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      const options = {
        host: this.host,
        port: this.requestedPort,
        ipv6Only: this.host.includes(":"),
        backlog: 1024,
        exclusive: true,
      };
      this.#server.listen(options, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) => this.#context.log(`listener ${this.host}:${this.port}: ${error.message}`));
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    if (this.#tls === null) return this.#serve(socket, false);
    const peer = peerOf(socket);
    this.#handshaking.set(peer, socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#handshaking.delete(peer));
    this.#tls.emit("connection", socket);
  }

  #serve(socket: Socket, tls: boolean): void {
    const connection = new ClientConnection(new AcceptedTransport(socket), this, this.#context, tls);
    this.#connections.add(connection);
    this.counters.connectionsAccepted++;
    this.counters.connectionsOpen++;
  }

  clientFacts(listener: CompiledListener, address: string, localPort: number, tls: boolean): ClientFacts {
    return { address, trusted: isTrusted(listener, address), tls, serverName: null, localPort };
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
    const closed = new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
    });
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
