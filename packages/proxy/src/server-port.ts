// One listening socket: accepts connections for the listener it stands for. The listener's compiled configuration is
// looked up per request, so that a table swap reaches open connections at once.

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { CompiledListener } from "./compiled-table.ts";
import { isTrusted } from "./compiled-table.ts";
import { PLAIN } from "./connection-facts.ts";
import type { ConnectionFacts } from "./connection-facts.ts";
import { ConnectionIntake } from "./connection-intake.ts";
import type { IntakeOwner } from "./connection-intake.ts";
import type { ClientFacts } from "./forwarding-fields.ts";
import { ClientConnection } from "./http1/client-connection.ts";
import { ClientSession } from "./http2/client-session.ts";
import { DescriptorGuard } from "./io/descriptor-guard.ts";
import { AcceptedTransport } from "./io/net-transport.ts";
import { createTcpListener } from "./io/tcp-listener.ts";
import type { Accepted, TcpListener } from "./io/tcp-listener.ts";
import type { Transport } from "./io/transport.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "./server-context.ts";
import type { ListenerCounters } from "./stats.ts";
import type { CompiledStream } from "./streams/compiled-stream.ts";
import { StreamConnection } from "./streams/stream-connection.ts";

export class ServerPort implements AcceptingPort, IntakeOwner {
  readonly host: string;
  /** As configured, 0 for any free port. */
  readonly requestedPort: number;
  readonly holdsAddress = false;
  counters: ListenerCounters;
  draining = false;
  readonly #context: ServerContext;
  readonly #server: TcpListener;
  readonly #connections = new Set<OpenConnection>();
  #listener: CompiledListener;
  readonly #intake: ConnectionIntake;
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
    const log = (line: string): void => context.log(`listener ${this.host}:${this.port}: ${line}`);
    const guard = new DescriptorGuard(log);
    this.#server = createTcpListener(context.io, {
      ...address,
      reusePort: context.reusePort,
      boundSocket: context.boundSocket,
      admits: (fd) => guard.admits(fd),
      onAccept: (accepted) => this.#accept(accepted),
      onError: (error) => log(error.message),
    });
    this.#intake = new ConnectionIntake(this, context);
    const [problem] = this.assign(listener, counters);
    if (!this.#intake.usable) throw problem ?? new Error("TLS listener without a certificate");
  }

  get listener(): CompiledListener {
    return this.#listener;
  }

  /** Port it listens on, 0 before `open`. */
  get port(): number {
    return this.#server.port;
  }

  /** Points the socket at a new configuration; requests from now on see it. Returns what could not be taken over:
   * routing is new then, and where certificates are concerned the old ones still serve. */
  assign(listener: CompiledListener, counters: ListenerCounters): Error[] {
    this.#listener = listener;
    this.counters = counters;
    return this.#intake.update(listener);
  }

  /** Starts listening. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  open(): Promise<void> {
    return this.#server.open();
  }

  #accept(accepted: Accepted): void {
    const { stream } = this.#listener;
    if (this.#intake.needed) this.#intake.take(accepted.socket());
    else if (stream !== null) this.carry(accepted.transport(), stream, PLAIN);
    else this.#serve(accepted.transport(), PLAIN);
  }

  serve(socket: Socket, facts: ConnectionFacts): void {
    if (agreedOnHttp2(socket)) this.#remember(new ClientSession(socket, this, this.#context, facts));
    else this.#serve(new AcceptedTransport(socket), facts);
  }

  #serve(transport: Transport, facts: ConnectionFacts): void {
    this.#remember(new ClientConnection(transport, this, this.#context, facts));
  }

  serveHttp2(before: OpenConnection, socket: Socket, facts: ConnectionFacts): void {
    this.#connections.delete(before);
    this.#connections.add(new ClientSession(socket, this, this.#context, facts));
  }

  carry(client: Transport, stream: CompiledStream, facts: ConnectionFacts): void {
    this.#remember(new StreamConnection(client, stream, facts, this, this.#context));
  }

  #remember(connection: OpenConnection): void {
    this.#connections.add(connection);
    this.counters.connectionsAccepted++;
    this.counters.connectionsOpen++;
  }

  clientFacts(listener: CompiledListener, address: string, connection: ConnectionFacts): ClientFacts {
    const { tls, serverName, clientCertificate, proxied } = connection;
    const trusted = isTrusted(listener, address);
    return { address, trusted, tls, serverName, clientCertificate, localPort: proxied?.destinationPort ?? this.port };
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
    this.#intake.close();
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

/** RFC 7301: only a TLS connection can have. */
function agreedOnHttp2(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).alpnProtocol === "h2";
}
