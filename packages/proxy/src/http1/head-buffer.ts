// Collects a message head that arrives in pieces, so that the parser sees it whole and in one pass. Looking for the end
// is linear in the bytes received, however small the pieces are.

import { INCOMPLETE, REFUSED } from "./field-lines.ts";
import { CR, LF } from "./tokens.ts";

/** Feeds a parser of heads from a stream: in place when a head arrives whole, from a copy when it does not. One for each
 * connection, hence no closures. */
export abstract class HeadReader {
  /** More bytes than this no head may have. */
  protected readonly longest: number;
  #partial: HeadBuffer | null = null;

  constructor(longest: number) {
    this.longest = longest;
  }

  /** Parses bytes[start, end) as one head: the position behind it, INCOMPLETE or REFUSED. */
  protected abstract parse(bytes: Buffer, start: number, end: number): number;

  /** Part of a head has been read. */
  get started(): boolean {
    return this.#partial !== null;
  }

  /** Reads on in bytes[at, end). Returns the position in `bytes` behind the head, REFUSED, or INCOMPLETE when all bytes have
   * been taken and more are needed. */
  read(bytes: Buffer, at: number, end: number): number {
    const partial = this.#partial;
    if (partial === null) {
      const after = this.parse(bytes, at, end);
      if (after !== INCOMPLETE) return after;
      this.#partial = new HeadBuffer();
      this.#partial.append(bytes, at, end, this.longest);
      return INCOMPLETE;
    }
    const before = partial.length;
    if (!partial.append(bytes, at, end, this.longest)) return INCOMPLETE;
    const after = this.parse(partial.bytes, 0, partial.length);
    if (after === INCOMPLETE) return INCOMPLETE;
    if (after === REFUSED) return REFUSED;
    this.#partial = null;
    return at + after - before;
  }

  /** After REFUSED: all that was read of the head and behind it. `last`: what was read last, from where it was read on. */
  refused(last: Buffer): Buffer {
    return this.#partial === null ? last : this.#partial.bytes;
  }
}

export class HeadBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was collected so far; valid until the next `append`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Copies bytes[start, end) behind what is there. True when parsing is worthwhile: the head may be complete, holds a
   * line end no head may hold, or has outgrown `longest`. */
  append(bytes: Buffer, start: number, end: number, longest: number): boolean {
    const before = this.#length;
    const needed = before + end - start;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(1024, needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, before);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, before, start, end);
    this.#length = needed;
    return needed > longest || this.#mayBeComplete(before);
  }

  #mayBeComplete(from: number): boolean {
    const bytes = this.#bytes;
    for (let at = from; at < this.#length; at++) {
      at = bytes.indexOf(LF, at);
      if (at < 0 || at >= this.#length) return false;
      if (bytes[at - 1] !== CR || bytes[at - 2] === LF) return true;
    }
    return false;
  }
}
