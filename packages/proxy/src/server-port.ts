// One listening socket: accepts connections for the listener it stands for. The listener's compiled configuration is
// looked up per request, so that a table swap reaches open connections at once.

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
import { createTcpListener } from "./io/tcp-listener.ts";
import type { TcpListener } from "./io/tcp-listener.ts";
import type { Transport } from "./io/transport.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "./server-context.ts";
import type { ListenerCounters } from "./stats.ts";
import type { CompiledStream } from "./streams/compiled-stream.ts";
import { StreamConnection } from "./streams/stream-connection.ts";

/** For sockets that were cut off to be gone, in milliseconds: they take no time, and nobody is to wait for one that does not go. */
const CLOSING_TIME = 250;

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
      onAccept: (client) => this.#accept(client),
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

  #accept(client: Transport): void {
    const { stream } = this.#listener;
    if (this.#intake.needed) this.#intake.take(client);
    else if (stream !== null) this.carry(client, stream, PLAIN);
    else this.serve(client, PLAIN, false);
  }

  serve(client: Transport, facts: ConnectionFacts, http2: boolean): void {
    const connection = http2
      ? new ClientSession(client, this, this.#context, facts)
      : new ClientConnection(client, this, this.#context, facts);
    this.#remember(connection);
  }

  serveHttp2(before: OpenConnection, transport: Transport, unread: Buffer, facts: ConnectionFacts): void {
    const session = new ClientSession(transport, this, this.#context, facts);
    this.#connections.delete(before);
    this.#connections.add(session);
    session.onData(unread, unread.length);
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
    // Each is accounted for once it is closed, in a turn of the event loop: whoever ends the process next would lose that.
    if (this.#connections.size > 0) await this.#emptied(CLOSING_TIME);
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
