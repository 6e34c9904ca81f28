// HTTP/2 by hand for tests: a client that writes any frames, well-formed or not, and keeps those it receives.

import type { Socket } from "node:net";
import { ErrorCode, Flag, FrameType, PREFACE } from "../http2/frames.ts";
import { connectToProxy } from "./variant.ts";

export { ErrorCode, Flag, FrameType, PREFACE } from "../http2/frames.ts";

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export type FieldList = [name: string, value: string][];

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** One error code, as in RST_STREAM, or one increment, as in WINDOW_UPDATE. */
export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 7541 section 5.1. */
function integer(value: number, prefixBits: number, pattern: number): Buffer {
  const most = (1 << prefixBits) - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** A header block of plain literals (RFC 7541 section 6.2.2), in which anything can be said. `indexed`: each goes into the
 * peer's dynamic table, where `indexedField` finds it. */
export function headerBlock(fields: FieldList, indexed = false): Buffer {
  const start = Buffer.from([indexed ? 0x40 : 0]);
  return Buffer.concat(fields.flatMap(([name, value]) => [start, literal(name), literal(value)]));
}

/** A reference to the dynamic table: 0 is what was put there last. */
export function indexedField(index: number): Buffer {
  return integer(62 + index, 7, 0x80);
}

/** The largest frame that need not be asked for. */
const LARGEST = 16 * 1024;

/** HEADERS, and CONTINUATION where one frame does not hold the block. */
export function headerFrames(stream: number, block: Buffer, end: boolean): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += LARGEST) {
    const flags = (at === 0 && end ? Flag.endStream : 0) | (at + LARGEST >= block.length ? Flag.endHeaders : 0);
    const type = at === 0 ? FrameType.headers : FrameType.continuation;
    frames.push(frame(type, flags, stream, block.subarray(at, at + LARGEST)));
  }
  return frames;
}

export function requestFields(more: FieldList = [], method = "GET", path = "/"): FieldList {
  return [[":method", method], [":scheme", "http"], [":authority", "a.test"], [":path", path], ...more];
}

/** The status of a header block. Knows what an encoder without a dynamic table may say first. */
export function statusOf({ payload }: Frame): number {
  // RFC 7541 section 6.3: the block may begin with a new size of the table.
  const at = (payload[0]! & 0xe0) === 0x20 ? 1 : 0;
  const first = payload[at]!;
  const known = [200, 204, 206, 304, 400, 404, 500];
  if (first >= 0x88 && first <= 0x8e) return known[first - 0x88]!;
  const length = payload[at + 1]! & 127;
  const value = payload.subarray(at + 2, at + 2 + length);
  return Number((payload[at + 1]! & 128) === 0 ? value.toString("latin1") : huffmanDigits(value));
}

/** RFC 7541 appendix B, digits alone: 0, 1 and 2 have five bits, the others six. */
function huffmanDigits(bytes: Buffer): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  let digits = "";
  for (let at = 0; digits.length < 3;) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    if (five < 3) digits += five;
    else digits += Number.parseInt(bits.slice(at, at + 6), 2) - 22;
    at += five < 3 ? 5 : 6;
  }
  return digits;
}

/** A connection with the preface said and settings exchanged; it acknowledges nothing by itself. */
export class FrameClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  ended = false;
  #rest: Buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];

  /** Settings: pairs of identifier and value. The table of the peer's encoder is off, so that `statusOf` can read it. */
  constructor(port: number, settings: [id: number, value: number][] = [], greeting = PREFACE) {
    this.socket = connectToProxy({ port, host: "127.0.0.1", noDelay: true }, "h2");
    this.socket.on("data", (bytes) => this.#note(() => this.#read(bytes)));
    this.socket.on("end", () => this.#note(() => (this.ended = true)));
    this.socket.on("close", () => this.#note(() => (this.ended = true)));
    this.socket.on("error", () => {});
    const payload = Buffer.alloc(6 * (settings.length + 1));
    for (const [index, [id, value]] of [[1, 0], ...settings].entries()) {
      payload.writeUInt16BE(id!, index * 6);
      payload.writeUInt32BE(value!, index * 6 + 2);
    }
    this.socket.write(greeting, "latin1");
    this.send(frame(FrameType.settings, 0, 0, payload));
  }

  #note(change: () => void): void {
    change();
    for (const wake of this.#wake.splice(0)) wake();
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const length = this.#rest.length < 9 ? Infinity : 9 + this.#rest.readUIntBE(0, 3);
      if (length > this.#rest.length) return;
      const [type, flags] = [this.#rest[3]!, this.#rest[4]!];
      const stream = this.#rest.readUInt32BE(5) & 0x7fffffff;
      this.frames.push({ type, flags, stream, payload: this.#rest.subarray(9, length) });
      this.#rest = this.#rest.subarray(length);
    }
  }

  send(...frames: Buffer[]): this {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
    return this;
  }

  /** A request without a body on `stream`. */
  request(stream: number, fields: FieldList = requestFields()): this {
    return this.send(...headerFrames(stream, headerBlock(fields), true));
  }

  /** A request whose body follows. */
  open(stream: number, fields: FieldList = requestFields([], "POST")): this {
    return this.send(...headerFrames(stream, headerBlock(fields), false));
  }

  data(stream: number, payload: Buffer | string, end = false): this {
    return this.send(frame(FrameType.data, end ? Flag.endStream : 0, stream, payload));
  }

  reset(stream: number, code: number = ErrorCode.cancel): this {
    return this.send(frame(FrameType.rstStream, 0, stream, number32(code)));
  }

  acknowledgeSettings(): this {
    return this.send(frame(FrameType.settings, Flag.ack, 0));
  }

  /** The first received frame that fits; rejects when the connection ends before. */
  async frame(fits: (frame: Frame) => boolean, what = "frame"): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found !== undefined) return found;
      if (this.ended) throw new Error(`${what} did not come, only: ${JSON.stringify(this.frames)}`);
      await this.#change();
    }
  }

  /** Status of the answer on `stream`; the error code with a minus when it was reset, -1000 and below for a GOAWAY with one. */
  async outcome(stream: number): Promise<number> {
    const found = await this.frame(
      (each) => (each.stream === stream ? isOutcome(each) : isFatal(each)),
      `outcome of stream ${stream}`,
    );
    if (found.type === FrameType.headers) return statusOf(found);
    return isFatal(found) ? -1000 - found.payload.readUInt32BE(4) : -found.payload.readUInt32BE(0);
  }

  /** The error code of the GOAWAY that came. */
  async goaway(): Promise<number> {
    return (await this.frame(({ type }) => type === FrameType.goaway, "GOAWAY")).payload.readUInt32BE(4);
  }

  /** Until the peer closes. */
  async untilEnd(): Promise<void> {
    while (!this.ended) await this.#change();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}

const isOutcome = ({ type }: Frame): boolean => type === FrameType.headers || type === FrameType.rstStream;

const isFatal = ({ type, payload }: Frame): boolean => type === FrameType.goaway && payload.readUInt32BE(4) !== 0;
