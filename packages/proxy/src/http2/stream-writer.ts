// Writes one body to a stream of node:http2: small pieces of a turn are joined, large ones go as the very bytes that were read.

import type { Http2Stream } from "node:http2";
import { latin1 } from "../io/latin1.ts";
import type { ReadMemory } from "../io/transport.ts";

/** Up to here a piece is copied and sent with its neighbours. */
const SMALL = 8 * 1024;
/** More than this unsent: whoever sends must wait. */
const MOST_UNSENT = 128 * 1024;

/** Memory of node:http2's own: it is never read into twice. */
export const KEPT: ReadMemory = { borrow: (bytes) => bytes, keepReadBuffer() {}, freeReadBuffer() {} };

/** Whether so many bytes would be written at once. */
export const isLarge = (length: number): boolean => length > SMALL;

export class StreamWriter<T extends Http2Stream> {
  readonly #stream: T;
  readonly #onDrain: (this: T) => void;
  #text = "";
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
    return this.#text === "";
  }

  addText(text: string): void {
    this.#text += text;
  }

  /** `bytes` are of the memory of `source`. The head must have been sent when they are many. */
  addBytes(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (!isLarge(end - start)) {
      this.#text += latin1(bytes, start, end);
      return;
    }
    this.#writeText();
    if (this.#stream.writableEnded) return;
    this.written += end - start;
    this.#stream.write(source.borrow(bytes.subarray(start, end)));
    this.#source = source;
  }

  /** False: stop writing until the stream has drained. */
  flush(): boolean {
    this.#writeText();
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
    this.#source?.freeReadBuffer();
    this.#source = null;
  }

  /** Sends the rest, and that it was the last. */
  end(): void {
    const text = this.#text;
    this.#text = "";
    this.#source?.keepReadBuffer();
    this.#source = null;
    this.written += text.length;
    if (!this.#stream.writableEnded) this.#stream.end(text, "latin1");
  }

  #writeText(): void {
    if (this.#text === "" || this.#stream.writableEnded) return;
    this.written += this.#text.length;
    this.#stream.write(this.#text, "latin1");
    this.#text = "";
  }
}
