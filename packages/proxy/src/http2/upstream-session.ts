// One HTTP/2 connection to an endpoint (RFC 9113): how many requests it takes, and how it ends. Frames, HPACK and flow control
// are node:http2's.

import { connect } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import type { Limits } from "../limits.ts";
import { Timer } from "../timer-wheel.ts";
import type { TimerWheel } from "../timer-wheel.ts";

/** Whoever keeps sessions. */
export interface SessionOwner {
  readonly limits: Limits;
  readonly wheel: TimerWheel;
  /** The endpoint speaks HTTP/2: requests may be made. */
  onReady(session: UpstreamSession): void;
  /** A request has ended, or the number of those the endpoint takes has changed. */
  onRoom(session: UpstreamSession): void;
  /** No further requests; those under way go on. */
  onLeaving(session: UpstreamSession): void;
  /** The connection is gone. `error`: why, when it broke. */
  onGone(session: UpstreamSession, error: NodeJS.ErrnoException | null): void;
}

/** What a stream's answer may fill before it is taken on, in bytes: a slow client makes it wait here. */
const STREAM_WINDOW = 256 * 1024;
/** The same for all streams of a connection. */
const CONNECTION_WINDOW = 4 * 1024 * 1024;
/** Header lists with more fields reset the stream. */
const MOST_FIELDS = 512;

export const NO_BODY = { endStream: true };
/** A request with a body ends when its trailers, or none, are sent. Until then it cannot end by being cancelled. */
export const WITH_BODY = { endStream: false, waitForTrailers: true };

export class UpstreamSession {
  /** Requests under way. */
  active = 0;
  /** Has ended a request. */
  used = false;
  readonly #owner: SessionOwner;
  readonly #session: ClientHttp2Session;
  readonly #timer: Timer;
  #ready = false;
  #leaving = false;
  #most = 0;
  /** After GOAWAY: the highest stream the endpoint acts on. */
  #lastStream = Infinity;
  #error: NodeJS.ErrnoException | null = null;

  /** Takes over a connected socket; `onReady` follows, or `onGone`. */
  constructor(socket: Duplex, owner: SessionOwner) {
    this.#owner = owner;
    this.#timer = new Timer(() => this.close());
    this.#session = connect("http://endpoint", sessionOptions(socket, owner.limits));
    this.#session.setLocalWindowSize(CONNECTION_WINDOW);
    this.#session.on("remoteSettings", () => this.#onSettings());
    this.#session.on("goaway", (_code, lastStream) => this.#onGoaway(lastStream));
    this.#session.on("error", (error) => (this.#error = error));
    this.#session.on("close", () => this.#onClose());
    // A connection that is half closed is of no use: what is under way could not be finished.
    socket.on("end", () => this.#session.destroy());
  }

  /** There is room for another request. */
  get free(): boolean {
    return this.#ready && !this.#leaving && this.active < this.#most;
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.active === 0;
  }

  get gone(): boolean {
    return this.#session.destroyed;
  }

  /** How many requests the endpoint takes at a time. */
  get most(): number {
    return this.#most;
  }

  /** Takes room for a request; `leave` gives it back. */
  enter(): void {
    if (this.active++ === 0) this.#owner.wheel.disarm(this.#timer);
  }

  leave(): void {
    this.active--;
    this.used = true;
    if (this.idle) this.#armIdle();
    this.#owner.onRoom(this);
  }

  request(headers: OutgoingHttpHeaders, options: object): ClientHttp2Stream {
    return this.#session.request(headers, options);
  }

  /** Whether the endpoint has said that it will not act on the stream (RFC 9113 section 6.8). */
  refuses(stream: ClientHttp2Stream): boolean {
    return stream.id === undefined || stream.id > this.#lastStream;
  }

  /** Lets what is under way finish. */
  close(): void {
    this.#leave();
    this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #onSettings(): void {
    this.#most = this.#session.remoteSettings.maxConcurrentStreams ?? Infinity;
    if (this.#ready) return this.#owner.onRoom(this);
    this.#ready = true;
    this.#armIdle();
    this.#owner.onReady(this);
  }

  #armIdle(): void {
    this.#owner.wheel.arm(this.#timer, this.#owner.limits.upstreamIdleTimeout);
  }

  #onGoaway(lastStream: number): void {
    this.#lastStream = lastStream;
    this.#leave();
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#owner.onLeaving(this);
  }

  #onClose(): void {
    this.#leave();
    this.#owner.wheel.release(this.#timer);
    this.#owner.onGone(this, this.#error);
  }
}

function sessionOptions(socket: Duplex, { headBytes }: Limits): object {
  return {
    createConnection: () => socket,
    settings: {
      enablePush: false,
      initialWindowSize: STREAM_WINDOW,
      // Counts 32 bytes for each field beside its text (RFC 9113 section 6.5.2).
      maxHeaderListSize: 2 * headBytes,
    },
    maxHeaderListPairs: MOST_FIELDS,
    maxSendHeaderBlockLength: 4 * headBytes,
    // A proxy passes on what clients repeat.
    strictSingleValueFields: false,
  };
}
