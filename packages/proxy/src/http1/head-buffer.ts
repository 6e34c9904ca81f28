// Collects a message head that arrives in pieces, so that the parser sees it whole and in one pass. Looking for the end
// is linear in the bytes received, however small the pieces are.

import { CR, LF } from "./tokens.ts";

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

  clear(): void {
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
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
