// Memory that connections read into. Small reads that are used up at once share one buffer, which stays in the processor's
// cache however many connections there are; a connection that carries large bodies gets one of its own for the time.

const SHARED_SIZE = 64 * 1024;
/** Larger reads save system calls on large bodies. */
const OWN_SIZE = 128 * 1024;
/** Spare buffers kept for the next connection that needs one. */
const SPARE = 32;

export const SHARED: Buffer = Buffer.allocUnsafeSlow(SHARED_SIZE);

const spare: Buffer[] = [];

export function takeReadBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(OWN_SIZE);
}

/** `buffer` must not be used by anybody any more. */
export function giveReadBuffer(buffer: Buffer): void {
  if (spare.length < SPARE) spare.push(buffer);
}

/** Which memory one connection reads into. */
export class ReadBuffers {
  #own: Buffer | null = null;
  #kept = false;

  /** For the next read. */
  next(): Buffer {
    if (this.#own === null) return SHARED;
    if (this.#kept) {
      // Whoever keeps the old one is done with it at some time; then it is garbage.
      this.#kept = false;
      this.#own = takeReadBuffer();
    }
    return this.#own;
  }

  borrow(bytes: Buffer): Buffer {
    if (bytes.buffer !== SHARED.buffer) return bytes;
    this.#own ??= takeReadBuffer();
    return Buffer.from(bytes);
  }

  keep(): void {
    this.#kept = true;
  }

  free(): void {
    this.#kept = false;
  }

  release(): void {
    if (this.#own !== null && !this.#kept) giveReadBuffer(this.#own);
    this.#own = null;
    this.#kept = false;
  }
}
