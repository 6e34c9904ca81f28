// What a client sends on a connection, frame by frame: the preface, the form that each frame must have, and header blocks,
// which are decoded whatever becomes of their streams, as later ones refer to them. Knows nothing of streams' states.

import { ErrorCode, Flag, FrameReader, FrameType, LARGEST_PAYLOAD, LARGEST_WINDOW, PREFACE } from "./frames.ts";
import { readNumber31, Setting, Unit } from "./frames.ts";
import { HpackDecoder } from "./hpack/decoder.ts";

/** What was read; any of these may lead to `stop`. */
export interface SessionEvents {
  /** A request's or a trailer section's header list: names and values in turns. `tooLong`: it is not complete. */
  onHeaders(stream: number, fields: string[], ended: boolean, tooLong: boolean): void;
  /** A DATA frame begins; its whole length counts for the windows. */
  onDataHead(stream: number, length: number): void;
  /** A piece of its content. */
  onBody(stream: number, bytes: Buffer, start: number, end: number): void;
  /** It is over. `padding`: what of its length was no content. `empty`: all of it. */
  onDataEnd(stream: number, padding: number, ended: boolean, empty: boolean): void;
  onReset(stream: number): void;
  onSettings(settings: readonly [id: number, value: number][]): void;
  onSettingsAcknowledged(): void;
  /** Latin-1. */
  onPing(payload: string): void;
  onWindowUpdate(stream: number, increment: number): void;
  onGoaway(): void;
  /** A frame that means nothing here. */
  onIdleFrame(): void;
  /** An error of the connection: calls `stop`. */
  fail(code: number): void;
}

/** Pieces of a header block. */
const MOST_CONTINUATIONS = 64;
/** In one frame: each may have to be taken to every stream. nghttp2 allows as many (CVE-2020-11080). */
const MOST_SETTINGS = 32;

export class SessionReader {
  readonly #events: SessionEvents;
  readonly #frames = new FrameReader();
  readonly #decoder = new HpackDecoder();
  readonly #longestList: number;
  readonly #longestBlock: number;
  /** Bytes of the preface that have come. */
  #prefaced = 0;
  #greeted = false;
  #stopped = false;
  /** Content of the DATA frame that is being read. */
  #content = 0;
  /** A header block that is not complete: its pieces, their length, its stream and the flags of its HEADERS. */
  #block: Buffer[] | null = null;
  #blockLength = 0;
  #blockStream = 0;
  #blockFlags = 0;

  constructor(events: SessionEvents, headBytes: number) {
    this.#events = events;
    this.#longestList = 2 * headBytes;
    this.#longestBlock = 4 * headBytes + LARGEST_PAYLOAD;
  }

  /** The client has said its settings. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** In the middle of the preface, a header block or a frame other than DATA. */
  get unfinished(): boolean {
    return this.#prefaced < PREFACE.length || this.#block !== null || this.#frames.unfinished;
  }

  /** Nothing more is read. */
  stop(): void {
    this.#stopped = true;
    this.#block = null;
  }

  read(bytes: Buffer, end: number): void {
    const frames = this.#frames;
    let at = this.#readPreface(bytes, end);
    while (at < end && !this.#stopped) {
      at = frames.read(bytes, at, end);
      switch (frames.unit) {
        case Unit.frame:
          this.#onFrame();
          break;
        case Unit.dataHead:
          this.#onDataHead();
          break;
        case Unit.data:
          this.#onData();
          break;
        case Unit.tooLarge:
          this.#events.fail(ErrorCode.frameSizeError);
          break;
        case Unit.badPadding:
          this.#events.fail(ErrorCode.protocolError);
      }
    }
    frames.release();
  }

  /** RFC 9113 section 3.4. */
  #readPreface(bytes: Buffer, end: number): number {
    let at = 0;
    for (; this.#prefaced < PREFACE.length && at < end; this.#prefaced++) {
      if (bytes[at++] === PREFACE.charCodeAt(this.#prefaced)) continue;
      this.#events.fail(ErrorCode.protocolError);
      break;
    }
    return at;
  }

  /** Whether a frame of this type may come now. */
  #inTurn(type: number, stream: number): boolean {
    // SETTINGS come first, and nothing between the pieces of a header block (RFC 9113 sections 3.4 and 6.10).
    if (!this.#greeted) return type === FrameType.settings && (this.#frames.flags & Flag.ack) === 0;
    if (this.#block === null) return type !== FrameType.continuation;
    return type === FrameType.continuation && stream === this.#blockStream;
  }

  #onDataHead(): void {
    const { stream, length, flags } = this.#frames;
    if (!this.#inTurn(FrameType.data, stream)) return this.#events.fail(ErrorCode.protocolError);
    this.#content = 0;
    this.#events.onDataHead(stream, length);
    if (length === 0 && !this.#stopped) this.#events.onDataEnd(stream, 0, (flags & Flag.endStream) !== 0, true);
  }

  #onData(): void {
    const { stream, length, flags, bytes, start, end, last } = this.#frames;
    if (end > start) this.#events.onBody(stream, bytes, start, end);
    this.#content += end - start;
    if (!last || this.#stopped) return;
    this.#events.onDataEnd(stream, length - this.#content, (flags & Flag.endStream) !== 0, this.#content === 0);
  }

  #onFrame(): void {
    const { type, stream, length, flags } = this.#frames;
    const events = this.#events;
    if (!this.#inTurn(type, stream)) return events.fail(ErrorCode.protocolError);
    switch (type) {
      case FrameType.headers:
        return this.#onHeaders();
      case FrameType.continuation:
        return this.#onContinuation();
      case FrameType.settings:
        return this.#onSettings();
      case FrameType.windowUpdate:
        if (length !== 4) return events.fail(ErrorCode.frameSizeError);
        return events.onWindowUpdate(stream, readNumber31(this.#frames.bytes, this.#frames.start));
      case FrameType.rstStream:
        if (length !== 4) return events.fail(ErrorCode.frameSizeError);
        return events.onReset(stream);
      case FrameType.ping:
        if (length !== 8) return events.fail(ErrorCode.frameSizeError);
        if (stream !== 0) return events.fail(ErrorCode.protocolError);
        return (flags & Flag.ack) !== 0 ? events.onIdleFrame() : events.onPing(this.#payload());
      case FrameType.priority:
        return this.#onPriority();
      case FrameType.goaway:
        if (stream !== 0) return events.fail(ErrorCode.protocolError);
        return length < 8 ? events.fail(ErrorCode.frameSizeError) : events.onGoaway();
      case FrameType.pushPromise:
        // RFC 9113 section 8.4: clients do not push.
        return events.fail(ErrorCode.protocolError);
      default:
        return events.onIdleFrame();
    }
  }

  #payload(): string {
    const { bytes, start, end } = this.#frames;
    return bytes.toString("latin1", start, end);
  }

  /** RFC 9113 section 5.3.2: read over. */
  #onPriority(): void {
    const { stream, length } = this.#frames;
    if (stream === 0) return this.#events.fail(ErrorCode.protocolError);
    if (length !== 5) return this.#events.fail(ErrorCode.frameSizeError);
    this.#events.onIdleFrame();
  }

  #onSettings(): void {
    const { stream, length, flags, bytes, start, end } = this.#frames;
    const acknowledges = (flags & Flag.ack) !== 0;
    if (stream !== 0) return this.#events.fail(ErrorCode.protocolError);
    if (length % 6 !== 0 || (acknowledges && length > 0)) return this.#events.fail(ErrorCode.frameSizeError);
    if (acknowledges) return this.#events.onSettingsAcknowledged();
    if (length > 6 * MOST_SETTINGS) return this.#events.fail(ErrorCode.enhanceYourCalm);
    const settings: [id: number, value: number][] = [];
    for (let at = start; at < end; at += 6) settings.push([bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2)]);
    for (const [id, value] of settings) {
      const code = settingError(id, value);
      if (code !== ErrorCode.noError) return this.#events.fail(code);
    }
    this.#greeted = true;
    this.#events.onSettings(settings);
  }

  #onHeaders(): void {
    const { stream, flags, bytes } = this.#frames;
    let { start, end } = this.#frames;
    if (stream === 0) return this.#events.fail(ErrorCode.protocolError);
    if ((flags & Flag.padded) !== 0) {
      if (start === end) return this.#events.fail(ErrorCode.frameSizeError);
      end -= bytes[start++]!;
    }
    if ((flags & Flag.priority) !== 0) start += 5;
    if (start > end) return this.#events.fail(ErrorCode.protocolError);
    if ((flags & Flag.endHeaders) !== 0) return this.#onBlock(stream, flags, bytes, start, end);
    this.#block = [Buffer.from(bytes.subarray(start, end))];
    this.#blockLength = end - start;
    this.#blockStream = stream;
    this.#blockFlags = flags;
  }

  #onContinuation(): void {
    const { stream, flags, bytes, start, end } = this.#frames;
    const block = this.#block!;
    block.push(Buffer.from(bytes.subarray(start, end)));
    this.#blockLength += end - start;
    // CVE-2024-27316 and its like: a block without an end.
    if (block.length > MOST_CONTINUATIONS || this.#blockLength > this.#longestBlock)
      return this.#events.fail(ErrorCode.enhanceYourCalm);
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = null;
    this.#onBlock(stream, this.#blockFlags, Buffer.concat(block), 0, this.#blockLength);
  }

  #onBlock(stream: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const fields = this.#decoder.decode(bytes, start, end, this.#longestList);
    if (fields === null) return this.#events.fail(ErrorCode.compressionError);
    this.#events.onHeaders(stream, fields, (flags & Flag.endStream) !== 0, this.#decoder.tooLong);
  }
}

/** RFC 9113 section 6.5.2. */
function settingError(id: number, value: number): number {
  switch (id) {
    case Setting.enablePush:
      return value > 1 ? ErrorCode.protocolError : ErrorCode.noError;
    case Setting.initialWindowSize:
      return value > LARGEST_WINDOW ? ErrorCode.flowControlError : ErrorCode.noError;
    case Setting.maxFrameSize:
      return value < LARGEST_PAYLOAD || value > 0xffffff ? ErrorCode.protocolError : ErrorCode.noError;
    default:
      return ErrorCode.noError;
  }
}
