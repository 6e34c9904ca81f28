// Memory that connections read into. Small reads that are used up at once share one buffer, which stays in the processor's
// cache however many connections there are; a connection that carries a large body gets one of its own for the time.

const SHARED_SIZE = 64 * 1024;
/** The larger the reads, the fewer system calls a large body takes; beyond this the processor's cache is the limit. */
const LARGE_SIZE = 512 * 1024;
/** For further connections once large buffers take `LARGE_BUDGET` bytes. */
const SMALL_SIZE = 64 * 1024;
const LARGE_BUDGET = 32 * 1024 * 1024;
/** Spare buffers kept for the next connection that needs one. */
const SPARE = 16;

export const SHARED: Buffer = Buffer.allocUnsafeSlow(SHARED_SIZE);

const spare: Buffer[] = [];
/** Bytes of buffers that connections have. */
let taken = 0;

function take(): Buffer {
  const large = taken + LARGE_SIZE <= LARGE_BUDGET;
  const buffer = (large ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(large ? LARGE_SIZE : SMALL_SIZE);
  taken += buffer.length;
  return buffer;
}

/** Which memory one connection reads into. */
export class ReadBuffers {
  #own: Buffer | null = null;
  #kept = false;
  #releasing = false;

  /** For the next read, when what came with the one before has been passed on. */
  next(): Buffer {
    if (this.#own === null) return SHARED;
    if (this.#releasing) {
      this.giveBack();
      return SHARED;
    }
    if (this.#kept) {
      this.#drop();
      this.#own = take();
    }
    return this.#own;
  }

  borrow(bytes: Buffer): Buffer {
    if (bytes.buffer !== SHARED.buffer) return bytes;
    this.#own ??= take();
    return Buffer.from(bytes);
  }

  keep(): void {
    this.#kept = true;
  }

  free(): void {
    this.#kept = false;
  }

  /** Nothing large is expected soon. Not before the read is over it is known whether anybody keeps what it brought. */
  release(): void {
    this.#releasing = this.#own !== null;
  }

  /** Another connection may read into it, unless it is kept. */
  giveBack(): void {
    this.#releasing = false;
    if (this.#own === null) return;
    if (!this.#kept && this.#own.length === LARGE_SIZE && spare.length < SPARE) spare.push(this.#own);
    this.#drop();
  }

  /** Whoever keeps the memory is done with it at some time; then it is garbage. */
  #drop(): void {
    taken -= this.#own!.length;
    this.#own = null;
    this.#kept = false;
  }
}
