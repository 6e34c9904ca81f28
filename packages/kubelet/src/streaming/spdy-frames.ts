// Frames of SPDY/3.1 (sections 2.2 to 2.6) as bytes. Data passes through in the pieces in which it arrives; control frames
// are held until they are whole.

/** Types of control frames that mean something here. */
export const frameTypes = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8 } as const;

export const flagFin = 1;

/** Status codes of RST_STREAM (section 2.6.3). */
export const resetCodes = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  streamAlreadyClosed: 9,
} as const;

export interface FrameHandler {
  /** A piece of a data frame's payload; `end` with the last one of a frame that has FLAG_FIN. */
  data(stream: number, piece: Buffer, end: boolean): void;
  control(type: number, flags: number, payload: Buffer): void;
}

/** The peer broke the framing: the session cannot go on. */
export class FrameError extends Error {}

const version = 3;
const maxControlBytes = 64 * 1024;

/** Cuts a byte stream into frames. `push` throws a FrameError, and whatever the handler throws. */
export class FrameReader {
  readonly #handler: FrameHandler;
  #pending: Buffer = Buffer.alloc(0);
  /** The data frame that is being read. */
  #data: { stream: number; left: number; fin: boolean } | undefined;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#data ? this.#readData() : this.#readHead());
  }

  /** False when more bytes are needed. */
  #readHead(): boolean {
    if (this.#pending.length < 8) return false;
    const first = this.#pending.readUInt32BE(0);
    const flags = this.#pending.readUInt8(4);
    const length = this.#pending.readUIntBE(5, 3);
    if (first < 0x8000_0000) {
      this.#pending = this.#pending.subarray(8);
      this.#data = { stream: first, left: length, fin: (flags & flagFin) !== 0 };
      if (length === 0) this.#endOfData();
      return true;
    }
    if (((first >>> 16) & 0x7fff) !== version) throw new FrameError("not SPDY version 3");
    if (length > maxControlBytes) throw new FrameError("control frame too large");
    if (this.#pending.length < 8 + length) return false;
    const payload = this.#pending.subarray(8, 8 + length);
    this.#pending = this.#pending.subarray(8 + length);
    this.#handler.control(first & 0xffff, flags, payload);
    return true;
  }

  #readData(): boolean {
    const frame = this.#data;
    if (!frame || this.#pending.length === 0) return false;
    const piece = this.#pending.subarray(0, frame.left);
    this.#pending = this.#pending.subarray(piece.length);
    frame.left -= piece.length;
    if (frame.left === 0) this.#endOfData(piece);
    else this.#handler.data(frame.stream, piece, false);
    return true;
  }

  #endOfData(piece: Buffer = Buffer.alloc(0)): void {
    const frame = this.#data;
    this.#data = undefined;
    if (frame) this.#handler.data(frame.stream, piece, frame.fin);
  }
}

/** The head of a data frame; its payload (below 2^24 bytes) follows. */
export function dataHead(stream: number, length: number, fin: boolean): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(stream, 0);
  head.writeUInt8(fin ? flagFin : 0, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

/** A control frame: 32-bit numbers, then bytes. */
export function controlFrame(type: number, flags: number, numbers: number[], rest: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8 + 4 * numbers.length);
  head.writeUInt32BE((0x8000_0000 + (version << 16) + type) >>> 0, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(4 * numbers.length + rest.length, 5, 3);
  numbers.forEach((number, index) => head.writeUInt32BE(number, 8 + 4 * index));
  return Buffer.concat([head, rest]);
}
