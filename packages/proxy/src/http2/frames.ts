// Frames of HTTP/2 (RFC 9113 sections 4 and 6): read from whatever pieces bytes arrive in, and written as Latin-1 text.

/** RFC 9113 section 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** RFC 9113 section 6.5.2. */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** RFC 9113 section 7. */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

const ERROR_NAMES =
  "no-error,protocol-error,internal-error,flow-control-error,settings-timeout,stream-closed,frame-size-error,refused-stream,cancel,compression-error,connect-error,enhance-your-calm,inadequate-security,http-1.1-required".split(
    ",",
  );

/** For reasons in the access log. */
export const errorName = (code: number): string => ERROR_NAMES[code] ?? String(code);

export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
export const FRAME_HEAD = 9;
/** The largest payload that need not be asked for (SETTINGS_MAX_FRAME_SIZE), either way. */
export const LARGEST_PAYLOAD = 16 * 1024;
/** What stands in SETTINGS and WINDOW_UPDATE at most. */
export const LARGEST_WINDOW = 2 ** 31 - 1;
/** Windows before anybody has said anything. */
export const FIRST_WINDOW = 65_535;

export function frameHead(length: number, type: number, flags: number, stream: number): string {
  return String.fromCharCode(
    length >>> 16,
    (length >>> 8) & 255,
    length & 255,
    type,
    flags,
    stream >>> 24,
    (stream >>> 16) & 255,
    (stream >>> 8) & 255,
    stream & 255,
  );
}

export const number32 = (value: number): string =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): string {
  const payload = settings.map(([id, value]) => String.fromCharCode(0, id) + number32(value)).join("");
  return frameHead(payload.length, FrameType.settings, 0, 0) + payload;
}

export const windowUpdate = (stream: number, increment: number): string =>
  frameHead(4, FrameType.windowUpdate, 0, stream) + number32(increment);

export const resetFrame = (stream: number, code: number): string =>
  frameHead(4, FrameType.rstStream, 0, stream) + number32(code);

export const goawayFrame = (lastStream: number, code: number): string =>
  frameHead(8, FrameType.goaway, 0, 0) + number32(lastStream) + number32(code);

/** HEADERS, and CONTINUATION where one frame does not hold the block. */
export function headerFrames(stream: number, block: string, end: boolean): string {
  const flag = end ? Flag.endStream : 0;
  if (block.length <= LARGEST_PAYLOAD)
    return frameHead(block.length, FrameType.headers, flag | Flag.endHeaders, stream) + block;
  let frames = "";
  for (let at = 0; at < block.length; at += LARGEST_PAYLOAD) {
    const part = block.slice(at, at + LARGEST_PAYLOAD);
    const flags = (at === 0 ? flag : 0) | (at + LARGEST_PAYLOAD >= block.length ? Flag.endHeaders : 0);
    frames += frameHead(part.length, at === 0 ? FrameType.headers : FrameType.continuation, flags, stream) + part;
  }
  return frames;
}

/** What `FrameReader.read` came to. */
export const Unit = {
  /** All bytes are used up. */
  none: 0,
  /** A frame other than DATA, whole: its payload is `bytes[start, end)`. */
  frame: 1,
  /** The head of a DATA frame; its payload follows in pieces. */
  dataHead: 2,
  /** A piece of its content, `bytes[start, end)`, possibly empty; `last` when nothing of the frame follows. */
  data: 3,
  /** A frame that is larger than allowed, or padded beyond its end: nothing can be read behind it. */
  tooLarge: 4,
  badPadding: 5,
} as const;

const NOTHING: Buffer = Buffer.alloc(0);

/** Splits a stream of bytes into frames. DATA is passed on as it comes, anything else when it is whole. */
export class FrameReader {
  type = 0;
  flags = 0;
  stream = 0;
  /** Of the whole payload, padding included. */
  length = 0;
  unit: number = Unit.none;
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  last = false;
  /** Of a DATA frame: content, and padding behind it, that are still to come. */
  #content = 0;
  #padding = 0;
  #lengthOfPaddingDue = false;
  #inData = false;
  /** The beginning of a frame that is not whole yet. */
  #held: Buffer | null = null;
  #heldLength = 0;

  /** In the middle of a frame other than DATA. */
  get unfinished(): boolean {
    return this.#held !== null;
  }

  /** Lets go of the bytes that were read last: their memory may be large, and wanted elsewhere. */
  release(): void {
    this.bytes = NOTHING;
  }

  /** Reads on in bytes[at, end), see `unit`. Returns where to go on. */
  read(bytes: Buffer, at: number, end: number): number {
    if (this.#inData) return this.#readPiece(bytes, at, end);
    if (this.#held !== null) return this.#hold(bytes, at, end);
    if (end - at < FRAME_HEAD) return this.#hold(bytes, at, end);
    this.#readHead(bytes, at);
    if (this.unit !== Unit.frame) return at + FRAME_HEAD;
    const stop = at + FRAME_HEAD + this.length;
    if (stop > end) return this.#hold(bytes, at, end);
    this.bytes = bytes;
    this.start = at + FRAME_HEAD;
    return (this.end = stop);
  }

  #readHead(bytes: Buffer, at: number): void {
    this.length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    this.type = bytes[at + 3]!;
    this.flags = bytes[at + 4]!;
    this.stream = readNumber31(bytes, at + 5);
    if (this.length > LARGEST_PAYLOAD) this.unit = Unit.tooLarge;
    else if (this.type === FrameType.data) this.#beginData();
    else this.unit = Unit.frame;
  }

  #beginData(): void {
    this.unit = Unit.dataHead;
    this.#lengthOfPaddingDue = (this.flags & Flag.padded) !== 0;
    this.#content = this.length;
    this.#padding = 0;
    if (this.#lengthOfPaddingDue && this.length === 0) this.unit = Unit.badPadding;
    this.#inData = this.length > 0;
    this.last = this.length === 0;
  }

  #readPiece(bytes: Buffer, from: number, end: number): number {
    let at = from;
    if (this.#lengthOfPaddingDue) {
      this.#lengthOfPaddingDue = false;
      this.#padding = bytes[at++]!;
      this.#content -= 1 + this.#padding;
      if (this.#content < 0) {
        this.unit = Unit.badPadding;
        return at;
      }
    }
    this.unit = Unit.data;
    this.bytes = bytes;
    this.start = at;
    this.end = Math.min(end, at + this.#content);
    this.#content -= this.end - at;
    const stop = this.#content > 0 ? this.end : Math.min(end, this.end + this.#padding);
    this.#padding -= stop - this.end;
    this.last = this.#content === 0 && this.#padding === 0;
    this.#inData = !this.last;
    return stop;
  }

  /** Collects a frame that arrives in pieces. */
  #hold(bytes: Buffer, at: number, end: number): number {
    const held = (this.#held ??= Buffer.allocUnsafe(64));
    let from = at;
    if (this.#heldLength < FRAME_HEAD) {
      from = this.#collect(held, FRAME_HEAD, bytes, at, end);
      if (this.#heldLength < FRAME_HEAD) return from;
      this.#readHead(held, 0);
      if (this.unit !== Unit.frame) {
        this.#drop();
        return from;
      }
    }
    const whole = FRAME_HEAD + this.length;
    if (whole > this.#held.length) {
      this.#held = Buffer.allocUnsafe(whole);
      held.copy(this.#held, 0, 0, this.#heldLength);
    }
    from = this.#collect(this.#held, whole, bytes, from, end);
    if (this.#heldLength < whole) return from;
    this.bytes = this.#held;
    this.start = FRAME_HEAD;
    this.end = whole;
    this.unit = Unit.frame;
    this.#drop();
    return from;
  }

  #collect(held: Buffer, most: number, bytes: Buffer, at: number, end: number): number {
    const stop = Math.min(end, at + most - this.#heldLength);
    bytes.copy(held, this.#heldLength, at, stop);
    this.#heldLength += stop - at;
    this.unit = Unit.none;
    return stop;
  }

  #drop(): void {
    this.#held = null;
    this.#heldLength = 0;
  }
}

/** A stream's number or a window's increment: the first bit is reserved and means nothing. */
export const readNumber31 = (bytes: Buffer, at: number): number =>
  ((bytes[at]! & 127) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
