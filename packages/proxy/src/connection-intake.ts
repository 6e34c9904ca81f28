// From an accepted connection to one that can be served: what is said and agreed before the first request (a PROXY header,
// the name in a ClientHello, the TLS handshake) happens here, within one bound of time. Whoever accepted the socket gets it
// back with what is known of its client, or with the stream route that takes it as it is.

import type { CompiledListener, TlsTarget } from "./compiled-table.ts";
import { PLAIN } from "./connection-facts.ts";
import type { ConnectionFacts } from "./connection-facts.ts";
import type { Transport, TransportHandler } from "./io/transport.ts";
import { isListed } from "./peer-list.ts";
import { ProxyHeaderReader } from "./proxy-protocol/read-header.ts";
import type { Opening } from "./read-ahead.ts";
import type { ServerContext } from "./server-context.ts";
import type { CompiledStream } from "./streams/compiled-stream.ts";
import { Timer } from "./timer-wheel.ts";
import { Alert, plainAlert } from "./tls/alerts.ts";
import { ClientHelloReader } from "./tls/client-hello.ts";
import { TlsTerminator } from "./tls/terminator.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Whoever accepts connections. */
export interface IntakeOwner {
  /** The configuration in force. */
  readonly listener: CompiledListener;
  /** Requests may be read from `client`. `http2`: by HTTP/2, as was agreed on. */
  serve(client: Transport, facts: ConnectionFacts, http2: boolean): void;
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

  take(client: Transport): void {
    const arrival = new Arrival(client, this.#context, () => this.#arrivals.delete(arrival));
    this.#arrivals.add(arrival);
    if (!isListed(this.#owner.listener.proxyPeers, client.remoteAddress)) return this.#secure(arrival, PLAIN);
    const header = new ProxyHeaderReader();
    arrival.read(header, (understood) => {
      if (understood) this.#secure(arrival, { ...PLAIN, proxied: header.addresses });
      else client.destroy();
    });
  }

  #secure(arrival: Arrival, facts: ConnectionFacts): void {
    const { listener, stream } = this.#owner.listener;
    if (listener.tls === undefined) return this.#handOver(arrival, stream, facts);
    // OpenSSL does not tell the name that a resumed session of TLS 1.2 is asked for.
    const hello = new ClientHelloReader();
    arrival.read(hello, (understood) => {
      if (!understood) return arrival.refuse(hello.alert);
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
    const { serverName } = facts;
    this.#terminator.terminate(arrival.client, { unread: arrival.takeUnread(), serverName }, purpose, {
      onSecure: ({ transport, http2, clientCertificate }) => {
        arrival.leave();
        const known = { ...facts, tls: true, clientCertificate };
        if (stream === null) this.#owner.serve(transport, known, http2);
        else this.#owner.carry(transport, stream, known);
      },
      onRefused: () => arrival.linger(),
      onClosed: () => arrival.leave(),
    });
  }

  /** Without TLS of ours. */
  #handOver(arrival: Arrival, stream: CompiledStream | null, facts: ConnectionFacts): void {
    const { client } = arrival;
    arrival.leave();
    const unread = arrival.takeUnread();
    if (unread.length > 0) client.unread(unread);
    if (stream !== null) this.#owner.carry(client, stream, facts);
    else this.#owner.serve(client, facts, false);
  }

  /** Gives up what has not been handed over yet. */
  close(): void {
    for (const { client } of this.#arrivals) client.destroy();
  }
}

/** A connection on its way, until it is handed over, destroyed or out of time. */
class Arrival implements TransportHandler {
  readonly client: Transport;
  readonly #context: ServerContext;
  readonly #timer: Timer;
  readonly #onLeave: () => void;
  /** What is being read. */
  #opening: Opening | null = null;
  #next: (understood: boolean) => void = () => {};
  /** Read with what went before. */
  #unread = NOTHING;

  constructor(client: Transport, context: ServerContext, onLeave: () => void) {
    this.client = client;
    this.#context = context;
    this.#onLeave = onLeave;
    this.#timer = new Timer(() => client.destroy());
    context.wheel.arm(this.#timer, context.limits.handshakeTimeout);
    client.handler = this;
  }

  /** Feeds what comes to `opening` until that is done or refused. */
  read(opening: Opening, next: (understood: boolean) => void): void {
    this.#opening = opening;
    this.#next = next;
    if (this.#unread.length > 0) this.#push(this.takeUnread());
  }

  #push(bytes: Buffer): void {
    const progress = this.#opening!.push(bytes);
    if (progress === "more") return;
    if (progress === "done") this.#unread = this.#opening!.replay;
    this.#opening = null;
    this.#next(progress === "done");
  }

  takeUnread(): Buffer {
    const bytes = this.#unread;
    this.#unread = NOTHING;
    return bytes;
  }

  onData(bytes: Buffer, end: number): void {
    // Once refused nothing is read any more.
    if (this.#opening !== null) this.#push(Buffer.from(bytes.subarray(0, end)));
  }

  onDrain(): void {}

  /** It is gone before it said what it wants. */
  onEnd(): void {
    this.client.destroy();
  }

  onClose(): void {
    this.leave();
  }

  /** It belongs to somebody else now, or is gone. */
  leave(): void {
    this.#context.wheel.release(this.#timer);
    this.#onLeave();
  }

  /** Closes it with an alert, null for none: what the client still sends is read, so that no reset eats the alert. */
  refuse(alert: number | null): void {
    if (alert === null) return this.client.destroy();
    this.client.write(plainAlert(alert));
    this.client.end();
    this.linger();
  }

  /** It is told why it has to go. */
  linger(): void {
    this.#context.wheel.arm(this.#timer, this.#context.limits.lingerTimeout);
  }
}
