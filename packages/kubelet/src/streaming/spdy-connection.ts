// The server's side of a SPDY/3.1 connection, as Kubernetes' streaming uses it: the client opens streams, each of them a
// byte stream in both directions that either side can half-close.

import { Duplex } from "node:stream";
import {
  controlFrame,
  dataHead,
  flagFin,
  FrameError,
  type FrameHandler,
  FrameReader,
  frameTypes,
  resetCodes,
} from "./spdy-frames.ts";
import { type HeaderBlock, HeaderBlockError, HeaderDecoder, HeaderEncoder } from "./spdy-headers.ts";

export interface SpdyOptions {
  /** A new stream, to be read and written; false refuses it. */
  onStream: (stream: SpdyStream) => boolean;
  /** Streams open at once; more are refused. */
  maxStreams: number;
}

/** Read ahead per stream before the connection waits for the slowest reader. */
const streamBufferBytes = 256 * 1024;
const maxDataBytes = 64 * 1024;
/** GOAWAY's status PROTOCOL_ERROR (section 2.6.6). */
const goAwayProtocolError = 1;

/**
 * Serves a connection until `socket` closes. There is no flow control per stream: Kubernetes' clients neither grant nor heed
 * windows (WINDOW_UPDATE is left out of their library), so TCP's own is used, and the slowest reader sets the pace.
 */
export class SpdyConnection implements FrameHandler {
  /** Resolves when the socket is closed and every stream with it. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  readonly #decoder = new HeaderDecoder();
  readonly #encoder = new HeaderEncoder();
  #waiting: (() => void)[] = [];
  #lastStream = 0;
  #failed = false;

  constructor(socket: Duplex, options: SpdyOptions) {
    this.#socket = socket;
    this.#options = options;
    const reader = new FrameReader(this);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        for (const stream of this.#streams.values()) stream.destroy();
        resolve();
      });
    });
    socket.on("error", () => socket.destroy());
    // Both ways or not at all: a client that ended its side is gone.
    socket.on("end", () => socket.destroy());
    socket.on("drain", () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const callback of waiting) callback();
    });
    socket.on("data", (chunk: Buffer) => {
      if (this.#failed) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** Says goodbye and closes after what was written. */
  close(): void {
    if (!this.#socket.writable) return;
    this.#socket.end(controlFrame(frameTypes.goAway, 0, [this.#lastStream, 0]), () => this.#socket.destroy());
  }

  data(id: number, piece: Buffer, end: boolean): void {
    const stream = this.#streams.get(id);
    // What was on its way when the stream was closed here is no fault of the client.
    if (!stream && id <= this.#lastStream) return;
    if (!stream) return this.#reset(id, resetCodes.invalidStream);
    if (stream.remoteEnded) {
      this.#reset(id, resetCodes.streamAlreadyClosed);
      stream.destroy();
      return;
    }
    if (!stream.receive(piece, end)) {
      this.#full.add(stream);
      this.#socket.pause();
    }
  }

  control(type: number, flags: number, payload: Buffer): void {
    switch (type) {
      case frameTypes.synStream:
        return this.#open(flags, payload);
      case frameTypes.headers:
        // Nobody sends any, but the compression goes on over all blocks.
        this.#decoder.decode(atLeast(payload, 4).subarray(4));
        if (flags & flagFin) this.data(streamId(payload), Buffer.alloc(0), true);
        return;
      case frameTypes.reset:
        this.#streams.get(streamId(atLeast(payload, 8)))?.abandon();
        return;
      case frameTypes.ping:
        // Clients' pings are odd, and go back as they are (section 2.6.5); an even one would answer ours.
        if (atLeast(payload, 4).readUInt32BE(0) % 2 === 1) this.write(controlFrame(type, 0, [payload.readUInt32BE(0)]));
        return;
      default:
      // SETTINGS, WINDOW_UPDATE, GOAWAY and what is unknown: nothing to do (section 2.2.1).
    }
  }

  /** False when the socket is full; `onceDrained` tells when it no longer is. */
  write(...parts: Buffer[]): boolean {
    if (!this.#socket.writable) return true;
    let room = true;
    for (const part of parts) room = this.#socket.write(part);
    return room;
  }

  onceDrained(callback: () => void): void {
    this.#waiting.push(callback);
  }

  /** The stream has room again. */
  drained(stream: SpdyStream): void {
    if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
  }

  released(stream: SpdyStream, complete: boolean): void {
    this.#streams.delete(stream.id);
    if (!complete && !this.#socket.destroyed) this.#reset(stream.id, resetCodes.cancel);
    this.drained(stream);
  }

  #open(flags: number, payload: Buffer): void {
    const id = streamId(atLeast(payload, 10));
    const headers = this.#decoder.decode(payload.subarray(10));
    // Section 2.3.2: the client's are odd and grow.
    if (id % 2 === 0 || id <= this.#lastStream) throw new FrameError(`stream ${id} out of order`);
    this.#lastStream = id;
    if (this.#streams.size >= this.#options.maxStreams) return this.#reset(id, resetCodes.refusedStream);
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    this.write(controlFrame(frameTypes.synReply, 0, [id], this.#encoder.encode({})));
    if (!this.#options.onStream(stream)) {
      stream.destroy();
      return;
    }
    if (flags & flagFin) this.data(id, Buffer.alloc(0), true);
  }

  #reset(id: number, code: number): void {
    this.write(controlFrame(frameTypes.reset, 0, [id, code]));
  }

  #fail(error: unknown): void {
    if (!(error instanceof FrameError) && !(error instanceof HeaderBlockError)) throw error;
    this.#failed = true;
    const goAway = controlFrame(frameTypes.goAway, 0, [this.#lastStream, goAwayProtocolError]);
    this.#socket.end(goAway, () => this.#socket.destroy());
  }
}

/** One stream. Ending it half-closes, destroying it resets it. */
export class SpdyStream extends Duplex {
  readonly id: number;
  /** As the client sent them, names in lower case. */
  readonly headers: HeaderBlock;
  /** True once the client has half-closed. */
  remoteEnded = false;
  #abandoned = false;
  readonly #connection: SpdyConnection;

  constructor(connection: SpdyConnection, id: number, headers: HeaderBlock) {
    super({ allowHalfOpen: true, readableHighWaterMark: streamBufferBytes, writableHighWaterMark: maxDataBytes });
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
    // A client may go away at any time; whoever uses the stream sees it closed.
    this.on("error", () => {});
  }

  /** Takes what the client sent; false when it should wait. */
  receive(piece: Buffer, end: boolean): boolean {
    const room = piece.length === 0 || this.push(piece);
    if (end) {
      this.remoteEnded = true;
      this.push(null);
    }
    return room;
  }

  /** The client reset the stream. */
  abandon(): void {
    this.#abandoned = true;
    this.destroy();
  }

  override _read(): void {
    this.#connection.drained(this);
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    let room = true;
    for (let at = 0; at < chunk.length; at += maxDataBytes) {
      const piece = chunk.subarray(at, at + maxDataBytes);
      room = this.#connection.write(dataHead(this.id, piece.length, false), piece);
    }
    if (room) callback();
    else this.#connection.onceDrained(callback);
  }

  override _final(callback: () => void): void {
    this.#connection.write(dataHead(this.id, 0, true));
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const complete = this.#abandoned || (this.remoteEnded && this.writableFinished);
    this.#connection.released(this, complete);
    callback(error);
  }
}

function streamId(payload: Buffer): number {
  return atLeast(payload, 4).readUInt32BE(0) & 0x7fff_ffff;
}

function atLeast(payload: Buffer, bytes: number): Buffer {
  if (payload.length < bytes) throw new FrameError("control frame cut short");
  return payload;
}
