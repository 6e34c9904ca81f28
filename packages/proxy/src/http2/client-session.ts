// One HTTP/2 connection from a client (RFC 9113): its streams, how it ends, and what a client may not do with it. Frames,
// HPACK and flow control are node:http2's.

import { constants, performServerHandshake } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { CompiledListener } from "../compiled-table.ts";
import { addressesOf } from "../connection-facts.ts";
import type { ConnectionFacts, ProxiedAddresses } from "../connection-facts.ts";
import { ForwardingFields } from "../forwarding-fields.ts";
import type { Limits } from "../limits.ts";
import { plainAddress } from "../io/plain-address.ts";
import type { ClientContext } from "../route-request.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "../server-context.ts";
import { Timer } from "../timer-wheel.ts";
import { Budget } from "./budget.ts";
import { ClientStream } from "./client-stream.ts";
import type { StreamOwner } from "./client-stream.ts";

const { NGHTTP2_ENHANCE_YOUR_CALM } = constants;

/** Requests under way at a time. */
const MOST_STREAMS = 128;
/** What a stream's request body may fill before it is taken on, in bytes. */
const STREAM_WINDOW = 64 * 1024;
/** The same for all streams of a connection. */
const CONNECTION_WINDOW = 1024 * 1024;
/** Fields beyond this reset the stream; up to it the answer is a 431. */
const MOST_FIELDS = 512;
/** Requests taken back before they were answered (CVE-2023-44487, CVE-2025-8671). */
const RESETS = { burst: 200, perSecond: 20 };
/** PING and SETTINGS frames, each of which is answered. */
const CONTROL_FRAMES = { burst: 1000, perSecond: 100 };
/** Times a stream is looked at while it may stall. */
const LOOKS = 4;

export class ClientSession implements OpenConnection, StreamOwner {
  readonly port: AcceptingPort;
  readonly context: ServerContext;
  readonly address: string;
  readonly remotePort: number;
  readonly #facts: ConnectionFacts;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #streams = new Set<ClientStream>();
  readonly #timer: Timer;
  readonly #resets: Budget;
  readonly #controls: Budget;
  #listener: CompiledListener | null = null;
  #client: ClientContext | null = null;

  /** Takes the socket over, bytes that were put back into it included. */
  constructor(socket: Socket, port: AcceptingPort, context: ServerContext, facts: ConnectionFacts) {
    this.port = port;
    this.context = context;
    this.address = facts.proxied?.sourceAddress ?? peerAddress(socket);
    this.remotePort = facts.proxied?.sourcePort ?? socket.remotePort ?? 0;
    this.#facts = facts;
    this.#socket = socket;
    const now = performance.now();
    this.#resets = new Budget(RESETS, now);
    this.#controls = new Budget(CONTROL_FRAMES, now);
    this.#timer = new Timer(() => this.#onTimer());
    this.#session = performServerHandshake(socket, sessionOptions(context.limits));
    this.#session.setLocalWindowSize(CONNECTION_WINDOW);
    this.#listen(socket);
    context.wheel.arm(this.#timer, context.limits.keepAliveTimeout);
  }

  #listen(socket: Socket): void {
    const session = this.#session;
    session.on("stream", (stream, headers, _flags, fields) => this.#onStream(stream, headers, fields));
    session.on("ping", () => this.#onControl());
    session.on("remoteSettings", () => this.#onControl());
    // What breaks a session also closes it.
    session.on("error", () => {});
    session.on("close", () => this.#onClose());
    // A client that sends nothing more has gone, as in HTTP/1.1; the socket was opened half-closable for tunnels there.
    socket.on("end", () => session.destroy());
    if (this.port.draining) this.drain();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, fields: string[]): void {
    stream.on("error", ignore);
    // Opened and reset in one go.
    if (stream.destroyed) return this.#onReset();
    const first = this.#streams.size === 0;
    const mine = new ClientStream(stream, this);
    this.#streams.add(mine);
    if (first) this.context.wheel.arm(this.#timer, this.context.limits.stallTimeout / LOOKS);
    mine.begin(headers, fields);
  }

  forget(stream: ClientStream, cancelled: boolean): void {
    this.#streams.delete(stream);
    if (cancelled) this.#onReset();
    if (this.#streams.size > 0 || this.gone) return;
    const { keepAliveTimeout, lingerTimeout } = this.context.limits;
    this.context.wheel.arm(this.#timer, this.#session.closed ? lingerTimeout : keepAliveTimeout);
  }

  /** What backends are told about the client; looked at anew when the listener's configuration was replaced. */
  clientContext(listener: CompiledListener): ClientContext {
    if (this.#client === null || this.#listener !== listener) {
      this.#listener = listener;
      const facts = this.port.clientFacts(listener, this.address, this.#facts);
      this.#client = { facts, forwarding: new ForwardingFields(facts, this.context.serverName), connection: this };
    }
    return this.#client;
  }

  get addresses(): ProxiedAddresses {
    const { localAddress, localPort = 0 } = this.#socket;
    const local = { address: plainAddress(localAddress), port: localPort };
    return this.#facts.proxied ?? addressesOf(this.address, this.remotePort, local);
  }

  get gone(): boolean {
    return this.#session.destroyed;
  }

  #onReset(): void {
    if (!this.#resets.spend(performance.now())) this.#calm();
  }

  #onControl(): void {
    if (!this.#controls.spend(performance.now())) this.#calm();
  }

  #calm(): void {
    this.#session.destroy(new Error("the client asks too much"), NGHTTP2_ENHANCE_YOUR_CALM);
    this.context.wheel.arm(this.#timer, this.context.limits.lingerTimeout);
  }

  #onTimer(): void {
    if (this.#streams.size === 0) {
      // A client that does not even take a GOAWAY.
      return this.#session.closed || this.gone ? this.destroy() : this.drain();
    }
    const now = performance.now();
    for (const stream of this.#streams) stream.checkProgress(now);
    this.context.wheel.arm(this.#timer, this.context.limits.stallTimeout / LOOKS);
  }

  /** GOAWAY: requests that cross it are not looked at, which the client learns from it and may repeat them elsewhere
   * (RFC 9113 section 6.8). */
  drain(): void {
    this.#session.close();
    if (this.#streams.size === 0) this.context.wheel.arm(this.#timer, this.context.limits.lingerTimeout);
  }

  /** At once: the session alone would wait for what it has handed to a socket that takes nothing. */
  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  #onClose(): void {
    this.context.wheel.release(this.#timer);
    this.port.forget(this);
  }
}

function sessionOptions({ headBytes }: Limits): object {
  return {
    // The limit counts 32 bytes for each field beside its text (RFC 9113 section 6.5.2); a head that is too long for us
    // but within it is answered, not reset.
    settings: {
      maxConcurrentStreams: MOST_STREAMS,
      initialWindowSize: STREAM_WINDOW,
      maxHeaderListSize: 2 * headBytes,
      enablePush: false,
    },
    maxHeaderListPairs: MOST_FIELDS,
    maxSendHeaderBlockLength: 4 * headBytes,
    // A proxy passes on what backends repeat.
    strictSingleValueFields: false,
  };
}

function peerAddress(socket: Socket): string {
  const address = socket.remoteAddress ?? "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

function ignore(): void {}
