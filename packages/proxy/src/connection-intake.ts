// From an accepted socket to a connection that can be served: what is said and agreed before the first request (a PROXY header,
// the name in a ClientHello, the TLS handshake) happens here, within one bound of time. Whoever accepted the socket gets it
// back with what is known of its client, or with the stream route that takes it as it is.

import type { Socket } from "node:net";
import type { CompiledListener, TlsTarget } from "./compiled-table.ts";
import { PLAIN } from "./connection-facts.ts";
import type { ConnectionFacts } from "./connection-facts.ts";
import { AcceptedTransport } from "./io/net-transport.ts";
import { plainAddress } from "./io/plain-address.ts";
import type { Transport } from "./io/transport.ts";
import { isListed } from "./peer-list.ts";
import { ProxyHeaderReader } from "./proxy-protocol/read-header.ts";
import { readAhead } from "./read-ahead.ts";
import type { ServerContext } from "./server-context.ts";
import type { CompiledStream } from "./streams/compiled-stream.ts";
import { Timer } from "./timer-wheel.ts";
import { Alert, plainAlert } from "./tls/alerts.ts";
import { ClientHelloReader } from "./tls/client-hello.ts";
import { TlsTerminator } from "./tls/terminator.ts";

/** Whoever accepts sockets. */
export interface IntakeOwner {
  /** The configuration in force. */
  readonly listener: CompiledListener;
  /** Requests may be read from `socket`. It is resumed after the call. */
  serve(socket: Socket, facts: ConnectionFacts): void;
  /** What comes from `client` goes on as it is. */
  carry(client: Transport, stream: CompiledStream, facts: ConnectionFacts): void;
}

export class ConnectionIntake {
  readonly #owner: IntakeOwner;
  readonly #context: ServerContext;
  readonly #terminator: TlsTerminator;
  readonly #arrivals = new Set<Arrival>();

  constructor(owner: IntakeOwner, context: ServerContext) {
    this.#owner = owner;
    this.#context = context;
    // A ticket of one listener must not resume a session at another, whose certificate the client would not see.
    this.#terminator = new TlsTerminator(`${context.ticketSecret} ${owner.listener.listener.name}`);
  }

  /** Takes over the certificates of a new configuration; returns what could not be taken over (see TlsTerminator). */
  update(listener: CompiledListener): Error[] {
    const { tls } = listener.listener;
    return tls === undefined ? [] : this.#terminator.update(tls);
  }

  /** Whether any connection could be served at all. */
  get usable(): boolean {
    const { listener, stream, tlsStreams } = this.#owner.listener;
    return listener.tls === undefined || this.#terminator.usable || stream !== null || tlsStreams !== null;
  }

  /** Whether something comes before the first request; else sockets may be served as they are accepted. */
  get needed(): boolean {
    const { listener, proxyPeers } = this.#owner.listener;
    return listener.tls !== undefined || proxyPeers !== null;
  }

  take(socket: Socket): void {
    // Gone already: without addresses its handshake could not be told from others.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const arrival = new Arrival(socket, this.#context, () => this.#arrivals.delete(arrival));
    this.#arrivals.add(arrival);
    const announced = isListed(this.#owner.listener.proxyPeers, plainAddress(socket.remoteAddress));
    if (!announced) return this.#secure(arrival, PLAIN);
    const header = new ProxyHeaderReader();
    readAhead(socket, header, (progress) => {
      if (progress === "refused") socket.destroy();
      else this.#secure(arrival, { ...PLAIN, proxied: header.addresses });
    });
  }

  #secure(arrival: Arrival, facts: ConnectionFacts): void {
    const { listener, stream, tlsStreams } = this.#owner.listener;
    if (listener.tls === undefined) return this.#handOver(arrival, stream, facts);
    if (tlsStreams === null) return this.#leadOn(arrival, undefined, facts);
    const hello = new ClientHelloReader();
    readAhead(arrival.socket, hello, (progress) => {
      if (progress === "refused") return arrival.refuse(hello.alert);
      const target = this.#owner.listener.tlsStreams?.find(hello.serverName ?? "")?.value;
      this.#leadOn(arrival, target, { ...facts, serverName: hello.serverName });
    });
  }

  /** `target`: what the name asked for leads to, if anything. */
  #leadOn(arrival: Arrival, target: TlsTarget | undefined, facts: ConnectionFacts): void {
    if (target?.mode === "passthrough") return this.#handOver(arrival, target.stream, { ...facts, tls: true });
    const { stream, listener } = this.#owner.listener;
    const carried = target?.mode === "terminate" ? target.stream : target === undefined ? stream : null;
    if (this.#terminator.usable) {
      if (carried !== null || listener.servers.length > 0) return this.#terminate(arrival, carried, facts);
    } else if (target === undefined && carried !== null)
      return this.#handOver(arrival, carried, { ...facts, tls: true });
    arrival.refuse(Alert.unrecognizedName);
  }

  #terminate(arrival: Arrival, stream: CompiledStream | null, facts: ConnectionFacts): void {
    const purpose = stream === null ? "http" : "stream";
    this.#terminator.terminate(arrival.socket, purpose, ({ socket, serverName, clientCertificate }) => {
      arrival.leave();
      const known = { ...facts, tls: true, serverName, clientCertificate };
      if (stream === null) this.#owner.serve(socket, known);
      else this.#owner.carry(new AcceptedTransport(socket, arrival.socket), stream, known);
    });
  }

  /** Without TLS of ours. */
  #handOver(arrival: Arrival, stream: CompiledStream | null, facts: ConnectionFacts): void {
    const { socket } = arrival;
    arrival.leave();
    if (stream !== null) return this.#owner.carry(new AcceptedTransport(socket), stream, facts);
    this.#owner.serve(socket, facts);
    socket.resume();
  }

  /** Gives up what has not been handed over yet. */
  close(): void {
    for (const { socket } of this.#arrivals) socket.destroy();
  }
}

/** A socket on its way, until it is handed over, destroyed or out of time. */
class Arrival {
  readonly socket: Socket;
  readonly #context: ServerContext;
  readonly #timer: Timer;
  readonly #onLeave: () => void;

  constructor(socket: Socket, context: ServerContext, onLeave: () => void) {
    this.socket = socket;
    this.#context = context;
    this.#onLeave = onLeave;
    this.#timer = new Timer(() => socket.destroy());
    context.wheel.arm(this.#timer, context.limits.handshakeTimeout);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.leave());
  }

  /** It belongs to somebody else now, or is gone. */
  leave(): void {
    this.#context.wheel.release(this.#timer);
    this.#onLeave();
  }

  /** Closes it with an alert, null for none: what the client still sends is read, so that no reset eats the alert. */
  refuse(alert: number | null): void {
    if (alert === null) return void this.socket.destroy();
    this.#context.wheel.arm(this.#timer, this.#context.limits.lingerTimeout);
    this.socket.end(plainAlert(alert));
    this.socket.resume();
  }
}
