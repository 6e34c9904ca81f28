// The body of a request, kept in memory as far as a bound allows, so that it can be sent again, or only once it is known.

import { KeptBytes } from "../io/kept-bytes.ts";
import type { ReadMemory } from "../io/transport.ts";
import type { UpstreamStream } from "../upstream/upstream.ts";

/** Somebody who is shown a request's body beside the backend. */
export interface BodyTap {
  /** `bytes` are valid until the call returns. */
  onRequestBody(bytes: Buffer, start: number, end: number): void;
  /** `trailers`: field lines with CRLF, or empty. */
  onRequestBodyEnd(trailers: string): void;
  /** The exchange is over: nothing more comes. */
  onOver(): void;
}

/** Memory that belongs to whoever hands it over, and that nobody reads into. */
export const OWN_MEMORY: ReadMemory = { borrow: (bytes) => bytes, keepReadBuffer() {} };

export class KeptBody implements BodyTap {
  /** No longer kept: it grew beyond the bound. */
  overflowed = false;
  ended = false;
  trailers = "";
  size = 0;
  readonly #longest: number;
  readonly #bytes = new KeptBytes();

  /** Keeps at most `longest` bytes. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    this.size += end - start;
    if (this.size > this.#longest) {
      this.overflowed = true;
      this.#bytes.clear();
    } else this.#bytes.add(bytes, start, end);
  }

  onRequestBodyEnd(trailers: string): void {
    this.ended = true;
    this.trailers = trailers;
  }

  onOver(): void {
    this.#bytes.clear();
  }

  /** All of it in one piece. */
  bytes(): Buffer {
    const pieces = this.#bytes.pieces();
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** Sends what there is so far; `flush` is left to the caller. */
  sendTo(stream: UpstreamStream): void {
    for (const piece of this.#bytes.pieces()) stream.sendBody(piece, 0, piece.length, OWN_MEMORY);
    if (this.ended) stream.endBody(this.trailers);
  }

  /** Shows what there is so far. */
  show(tap: BodyTap): void {
    for (const piece of this.#bytes.pieces()) tap.onRequestBody(piece, 0, piece.length);
    if (this.ended) tap.onRequestBodyEnd(this.trailers);
  }
}
