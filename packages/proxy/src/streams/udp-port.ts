// One listening UDP socket: datagrams of a client go to the endpoint its session has, and answers come back from the
// address the client has written to.

import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { CompiledListener } from "../compiled-table.ts";
import type { ServerContext } from "../server-context.ts";
import type { ListenerCounters } from "../stats.ts";
import { REMOVAL_GRACE } from "../limits.ts";
import { UdpSession } from "./udp-session.ts";
import type { UdpSessionOwner } from "./udp-session.ts";

export class UdpPort implements UdpSessionOwner {
  readonly #address: { host: string; port: number };
  readonly #context: ServerContext;
  readonly #socket: Socket;
  /** By the client's address; whose last datagram is oldest comes first. */
  readonly #sessions = new Map<string, UdpSession>();
  #listener: CompiledListener;
  #counters: ListenerCounters;
  /** No further clients: what is left of sessions ends in its own time. */
  #draining = false;
  #onEmpty: () => void = () => {};
  #closed: Promise<void> | null = null;
  port = 0;
  readonly holdsAddress = true;

  constructor(
    address: { host: string; port: number },
    listener: CompiledListener,
    counters: ListenerCounters,
    context: ServerContext,
  ) {
    this.#address = address;
    this.#listener = listener;
    this.#counters = counters;
    this.#context = context;
    const six = isIPv6(address.host);
    const { reusePort } = context;
    this.#socket = createSocket({ type: six ? "udp6" : "udp4", ipv6Only: six, reusePort });
    this.#socket.on("message", (bytes, client) => this.#onDatagram(bytes, client));
  }

  get listenerName(): string {
    return this.#listener.listener.name;
  }

  /** Points the socket at a new configuration: clients whose endpoint is still there keep it, for a while also those whose route is
   * gone; others get one anew with their next datagram. Returns what of it there is no such thing as with UDP. */
  assign(listener: CompiledListener, counters: ListenerCounters): Error[] {
    this.#listener = listener;
    this.#counters = counters;
    for (const session of this.#sessions.values()) session.assign(listener.stream, REMOVAL_GRACE);
    const { tls, proxyProtocolFrom = [], stream } = listener.listener;
    const problems: [boolean, string][] = [
      [stream === undefined, "a UDP listener carries datagrams: it needs a stream"],
      [tls !== undefined, "TLS is not terminated on UDP"],
      [proxyProtocolFrom.length > 0, "PROXY headers are not read on UDP"],
    ];
    return problems.flatMap(([is, message]) => (is ? [Object.assign(new Error(message), { code: "ENOTSUP" })] : []));
  }

  /** Starts listening. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", (error) => {
        this.#socket.close();
        reject(error);
      });
      this.#socket.bind({ address: this.#address.host, port: this.#address.port, exclusive: true }, () => {
        this.#socket.removeAllListeners("error");
        this.#socket.on("error", (error) => this.#onError(error));
        this.port = this.#socket.address().port;
        resolve();
      });
    });
  }

  #onError({ message }: Error): void {
    this.#context.log(`listener ${this.#address.host}:${this.port} (udp): ${message}`);
  }

  #onDatagram(bytes: Buffer, client: RemoteInfo): void {
    const { stream } = this.#listener;
    // Port 0 can only be forged, and cannot be answered.
    if (client.port === 0) return;
    const key = keyOf(client);
    let session = this.#sessions.get(key);
    if (session === undefined) {
      if (stream === null || this.#draining) return;
      if (this.#sessions.size >= this.#context.limits.udpSessions) this.#endOldest();
      session = new UdpSession(client, stream, this, this.#context);
      this.#counters.connectionsAccepted++;
      this.#counters.connectionsOpen++;
    } else this.#sessions.delete(key);
    this.#sessions.set(key, session);
    session.send(bytes);
  }

  #endOldest(): void {
    for (const session of this.#sessions.values()) return session.end("too-many-sessions");
  }

  answer(bytes: Buffer, { address, port }: RemoteInfo): void {
    this.#socket.send(bytes, port, address, (error) => {
      if (error !== null) this.#onError(error);
    });
  }

  forget(session: UdpSession): void {
    if (!this.#sessions.delete(keyOf(session.client))) return;
    this.#counters.connectionsOpen--;
    if (this.#sessions.size === 0) this.#onEmpty();
  }

  /** Sessions live on while something moves, within `graceMs`: that needs the socket, as no answer could come from elsewhere. May
   * be called again to shorten the time. */
  close(graceMs: number): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions.values()) {
      if (graceMs > 0) session.fade(graceMs);
      else session.end("proxy-closed");
    }
    return (this.#closed ??= new Promise((resolve) => {
      this.#onEmpty = () => this.#socket.close(() => resolve());
      if (this.#sessions.size === 0) this.#onEmpty();
    }));
  }
}

function keyOf({ address, port }: RemoteInfo): string {
  return `${address} ${port}`;
}
