// Writes one body to a stream of node:http2: small pieces of a turn are joined, large ones go as the very bytes that were read.

import type { Http2Stream } from "node:http2";
import type { ReadMemory } from "../io/transport.ts";

/** Up to here a piece is copied and sent with its neighbours. */
const SMALL = 8 * 1024;
/** More than this unsent: whoever sends must wait. */
const MOST_UNSENT = 128 * 1024;

/** Memory of node:http2's own: it is never read into twice. */
export const KEPT: ReadMemory = { borrow: (bytes) => bytes, keepReadBuffer() {} };

/** Whether so many bytes would be written at once. */
export const isLarge = (length: number): boolean => length > SMALL;

export class StreamWriter<T extends Http2Stream> {
  readonly #stream: T;
  readonly #onDrain: (this: T) => void;
  /** The first small piece of this turn, and what came behind it. */
  #first: Buffer | null = null;
  #more: Buffer[] | null = null;
  /** Owner of memory that is still to be sent. */
  #source: ReadMemory | null = null;
  #draining = false;
  /** Bytes given to the stream so far. */
  written = 0;

  /** `onDrain` is to call `drained`, some time after `flush` returned false. */
  constructor(stream: T, onDrain: (this: T) => void) {
    this.#stream = stream;
    this.#onDrain = onDrain;
  }

  /** Whether nothing waits for `flush`. */
  get empty(): boolean {
    return this.#first === null;
  }

  /** `bytes` stay unchanged. */
  addSmall(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#first === null) this.#first = bytes;
    else (this.#more ??= []).push(bytes);
  }

  /** `bytes` are of the memory of `source`. The head must have been sent when they are many. */
  addBytes(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (!isLarge(end - start)) return this.addSmall(Buffer.from(bytes.subarray(start, end)));
    this.#writeSmall();
    if (this.#stream.writableEnded) return;
    this.written += end - start;
    this.#stream.write(source.borrow(bytes.subarray(start, end)));
    this.#source = source;
  }

  /** False: stop writing until the stream has drained. */
  flush(): boolean {
    this.#writeSmall();
    // Writes of node:http2 never end within the call.
    this.#source?.keepReadBuffer();
    if (!this.blocked) return true;
    if (!this.#draining) this.#stream.once("drain", this.#onDrain);
    this.#draining = true;
    return false;
  }

  get blocked(): boolean {
    return this.#stream.writableLength >= MOST_UNSENT;
  }

  drained(): void {
    this.#draining = false;
    this.#source = null;
  }

  /** Sends the rest, and that it was the last. */
  end(): void {
    const rest = this.#takeSmall();
    this.#source?.keepReadBuffer();
    this.#source = null;
    if (this.#stream.writableEnded) return;
    if (rest === null) this.#stream.end();
    else {
      this.written += rest.length;
      this.#stream.end(rest);
    }
  }

  #takeSmall(): Buffer | null {
    const first = this.#first;
    if (first === null) return null;
    const all = this.#more === null ? first : Buffer.concat([first, ...this.#more]);
    this.#first = this.#more = null;
    return all;
  }

  #writeSmall(): void {
    const bytes = this.#takeSmall();
    if (bytes === null || this.#stream.writableEnded) return;
    this.written += bytes.length;
    this.#stream.write(bytes);
  }
}
