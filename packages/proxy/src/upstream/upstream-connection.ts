// One HTTP/1.1 connection to an endpoint: sends what its user writes, parses what comes back, and tells the user in
// terms of messages. It belongs to one exchange at a time and idles in the endpoint's pool in between.

import { ChunkedDecoder } from "../http1/chunked.ts";
import type { BodySink } from "../http1/chunked.ts";
import { Framing, INCOMPLETE, REFUSED } from "../http1/field-lines.ts";
import { HeadReader } from "../http1/head-buffer.ts";
import { requestHeadText } from "../http1/head-writer.ts";
import { ResponseHead } from "../http1/response-head.ts";
import { BatchedWriter } from "../io/batched-writer.ts";
import { dial } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import type { ReadMemory, Transport, TransportHandler } from "../io/transport.ts";
import type { Limits } from "../limits.ts";
import { proxyHeader } from "../proxy-protocol/write-header.ts";
import { Timer } from "../timer-wheel.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { BackendProtocol } from "./backend-protocol.ts";
import type { OutgoingRequest, UpstreamStream, UpstreamUser, FailureKind } from "./upstream.ts";

/** The pool a connection belongs to: where it idles, and who hears how its endpoint fares. */
export interface UpstreamPool {
  readonly host: string;
  readonly port: number;
  readonly limits: Limits;
  readonly wheel: TimerWheel;
  readonly io: Io;
  readonly protocol: BackendProtocol;
  /** Keeps the connection for another exchange, or destroys it. */
  release(connection: UpstreamConnection): void;
  /** Takes a connection out of the idle ones. */
  forget(connection: UpstreamConnection): void;
  onConnected(): void;
  onConnectTimeout(): void;
  onClosed(connection: UpstreamConnection, whileConnecting: boolean): void;
}

const State = { connecting: 0, idle: 1, head: 2, body: 3, tunnel: 4, closed: 5 } as const;

/** Methods whose content has no meaning (RFC 9110 section 9.3): a backend may leave it unread and take it for the next request. */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"]);

const scratch = new ResponseHead();

class ResponseReader extends HeadReader {
  /** The request's method is HEAD. */
  toHead = false;

  protected override parse(bytes: Buffer, start: number, end: number): number {
    return scratch.parse(bytes, start, end, this.toHead, this.longest);
  }
}

export class UpstreamConnection implements UpstreamStream, TransportHandler, BodySink {
  readonly pool: UpstreamPool;
  readonly #transport: Transport;
  readonly #out: BatchedWriter;
  reused = false;
  #user: UpstreamUser | null;
  #state: number = State.connecting;
  #chunkedRequest = false;
  #requestSent = false;
  /** Something of the request has gone out. */
  #begun = false;
  /** The backend can be trusted to have read the body, if there is one. */
  #bodyTaken = true;
  #answered = false;
  readonly #head: ResponseReader;
  #framing: number = Framing.none;
  #remaining = 0;
  #decoder: ChunkedDecoder | null = null;
  #keepAlive = true;
  #idleTimeout: number;
  readonly #timer: Timer;

  /** Connects, unless `connected` is a connection that stands. */
  constructor(pool: UpstreamPool, user: UpstreamUser, connected: Transport | null = null) {
    this.pool = pool;
    this.#user = user;
    this.#idleTimeout = pool.limits.upstreamIdleTimeout;
    this.#timer = new Timer(() => this.#onTimeout());
    this.#transport = connected ?? dial(pool.io, pool.host, pool.port, () => this.#onConnect());
    this.#transport.handler = this;
    this.#out = new BatchedWriter(this.#transport);
    this.#head = new ResponseReader(pool.limits.headBytes);
    if (connected === null) pool.wheel.arm(this.#timer, pool.limits.connectTimeout);
    else this.#state = State.idle;
  }

  #onConnect(): void {
    if (this.#state !== State.connecting) return;
    this.pool.wheel.disarm(this.#timer);
    this.pool.onConnected();
    this.#state = State.idle;
    this.#user!.onConnected(this);
  }

  get ready(): boolean {
    return this.#state === State.idle;
  }

  get memory(): Transport {
    return this.#transport;
  }

  begin(user: UpstreamUser, request: OutgoingRequest): void {
    this.pool.wheel.disarm(this.#timer);
    this.#user = user;
    this.#head.toHead = request.method === "HEAD";
    this.#chunkedRequest = request.chunked;
    this.#requestSent = !request.hasBody;
    this.#bodyTaken = !request.hasBody || !BODILESS.has(request.method);
    this.#answered = false;
    this.#begun = false;
    this.#state = State.head;
    const { proxyProtocol } = this.pool.protocol;
    if (proxyProtocol !== 0) this.#out.addText(proxyHeader(proxyProtocol, request.client));
    this.#out.addText(requestHeadText(request));
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (this.#state === State.tunnel || !this.#chunkedRequest) return this.#out.addBytes(bytes, start, end, source);
    this.#out.addText(`${(end - start).toString(16)}\r\n`);
    this.#out.addBytes(bytes, start, end, source);
    this.#out.addText("\r\n");
  }

  /** After the answer the connection may serve another request. */
  endBody(trailers: string): void {
    this.#requestSent = true;
    if (this.#chunkedRequest) this.#out.addText(`0\r\n${trailers}\r\n`);
  }

  flush(): boolean {
    const free = this.#out.flush();
    if (!this.#begun) {
      // What there is to be read was said before anybody asked, as the 408 of a backend that tires of waiting.
      if (this.#transport.peerGone && this.reused) this.#transport.destroy();
      this.#begun = true;
    }
    return free;
  }

  get blocked(): boolean {
    return this.#transport.blocked;
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  endTunnel(): void {
    this.#transport.end();
  }

  /** Gives the connection up without telling the user. */
  abandon(): void {
    this.#user = null;
    this.destroy();
  }

  destroy(): void {
    this.#state = State.closed;
    this.#transport.destroy();
  }

  /** Waits in the pool until `begin`; `timeout` as agreed with the backend. */
  becomeIdle(): void {
    this.reused = true;
    this.#state = State.idle;
    this.#transport.releaseReadBuffer();
    this.#transport.resume();
    this.pool.wheel.arm(this.#timer, this.#idleTimeout);
  }

  onData(bytes: Buffer, end: number): void {
    if (this.#state === State.idle) return this.#onIdleData();
    if (this.#state === State.closed) return;
    this.#answered = true;
    const user = this.#user!;
    this.#read(bytes, end);
    if (this.#user === user) user.onReadDone();
  }

  /** Nobody asked: this could only be mistaken for the next answer. */
  #onIdleData(): void {
    this.pool.forget(this);
    this.destroy();
  }

  #read(bytes: Buffer, end: number): void {
    let at = 0;
    while (at < end) {
      if (this.#state === State.tunnel) return this.#user!.onBody(bytes, at, end);
      if (this.#state === State.head) {
        at = this.#takeHead(this.#head.read(bytes, at, end), end);
        if (at <= 0) return;
      } else at = this.#readBody(bytes, at, end);
      if (at < 0) return;
    }
  }

  /** Acts on what reading a head came to. Returns where to go on, or INCOMPLETE or REFUSED when not to. */
  #takeHead(after: number, end: number): number {
    if (after === INCOMPLETE) return INCOMPLETE;
    if (after === REFUSED) {
      this.#fail("invalid", scratch.refusal!.reason);
      return REFUSED;
    }
    const head = scratch;
    if (head.status < 200 && head.status !== 101) {
      this.#user!.onInformational(head);
      return this.#user === null ? REFUSED : after;
    }
    if (head.status === 101) {
      this.#state = State.tunnel;
      this.#user!.onSwitchingProtocols(head);
      return this.#user === null ? REFUSED : after;
    }
    this.#keepAlive = head.keepAlive;
    const { upstreamIdleTimeout } = this.pool.limits;
    // A second early, so that we close before the backend does and no request crosses its FIN.
    if (head.idleHint > 0) this.#idleTimeout = Math.min(upstreamIdleTimeout, Math.max(head.idleHint - 1000, 100));
    this.#framing = head.framing;
    this.#remaining = head.contentLength;
    this.#decoder = head.framing === Framing.chunked ? new ChunkedDecoder() : null;
    this.#state = State.body;
    const user = this.#user!;
    user.onResponse(head);
    if (this.#user !== user) return REFUSED;
    if (this.#framing === Framing.none || (this.#framing === Framing.length && this.#remaining === 0)) {
      this.#finish("", after < end);
      return REFUSED;
    }
    return after;
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    if (this.#framing === Framing.untilClose) {
      this.#user!.onBody(bytes, at, end);
      return end;
    }
    if (this.#framing === Framing.length) {
      const stop = Math.min(end, at + this.#remaining);
      this.#remaining -= stop - at;
      this.#user!.onBody(bytes, at, stop);
      if (this.#remaining > 0) return stop;
      this.#finish("", stop < end);
      return REFUSED;
    }
    const decoder = this.#decoder!;
    const after = decoder.decode(bytes, at, end, this);
    if (after === REFUSED) {
      this.#fail("broken", `backend-${decoder.refusal!.reason}`);
      return REFUSED;
    }
    if (!decoder.done) return after;
    this.#finish(decoder.trailers, after < end);
    return REFUSED;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#user!.onBody(bytes, start, end);
  }

  /** The answer is whole. The connection goes back to the pool before the user hears of it, so that the user's next
   * exchange may take it. `excess`: bytes follow that nobody asked for. */
  #finish(trailers: string, excess: boolean): void {
    const user = this.#user!;
    this.#user = null;
    this.#decoder = null;
    const clean = this.#requestSent && this.#bodyTaken && !excess && this.#framing !== Framing.untilClose;
    if (this.#keepAlive && clean && !this.#transport.peerGone) this.pool.release(this);
    else this.destroy();
    user.onResponseEnd(trailers);
  }

  #fail(kind: FailureKind, reason: string): void {
    const user = this.#user;
    this.#user = null;
    this.destroy();
    user?.onFailure(kind, reason);
  }

  onEnd(): void {
    switch (this.#state) {
      case State.idle:
        this.pool.forget(this);
        return this.destroy();
      case State.tunnel:
        if (this.#transport.peerGone) return this.#fail("closed", "backend-connection-epipe");
        return this.#user?.onResponseEnd("");
      case State.body:
        if (this.#framing === Framing.untilClose) return this.#finish("", false);
        return this.#fail("broken", "backend-closed-mid-response");
      case State.head:
        return this.#answered
          ? this.#fail("broken", "backend-closed-in-response-head")
          : this.#fail("closed", "backend-closed-without-response");
    }
  }

  onDrain(): void {
    this.#user?.onUpstreamDrain();
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    const state = this.#state;
    this.#state = State.closed;
    this.pool.wheel.release(this.#timer);
    this.pool.onClosed(this, state === State.connecting);
    const user = this.#user;
    this.#user = null;
    if (user === null) return;
    const code = error?.code ?? "closed";
    if (state === State.connecting) user.onFailure("connect", `connect-${code.toLowerCase()}`);
    else if (this.#answered && (state !== State.tunnel || error !== null))
      user.onFailure("broken", `backend-connection-${code.toLowerCase()}`);
    else user.onFailure("closed", `backend-connection-${code.toLowerCase()}`);
  }

  #onTimeout(): void {
    if (this.#state === State.connecting) {
      const user = this.#user;
      this.#user = null;
      this.pool.onConnectTimeout();
      this.destroy();
      user?.onFailure("connect-timeout", "connect-timeout");
    } else if (this.#state === State.idle) {
      this.pool.forget(this);
      this.destroy();
    }
  }
}
