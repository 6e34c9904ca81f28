// The streams that were closed last, so that a frame that crossed the end of its stream is told from one that is wrong.

/** A power of two. */
const MOST = 256;

export class ClosedStreams {
  /** Twice the stream's number, and 1 when we have reset it. */
  readonly #last: number[] = [];
  #count = 0;

  add(stream: number, resetByUs: boolean): void {
    this.#last[this.#count++ & (MOST - 1)] = 2 * stream + (resetByUs ? 1 : 0);
  }

  /** It was open once, not long ago. */
  knows(stream: number): boolean {
    return this.#last.includes(2 * stream) || this.ignores(stream);
  }

  /** The client may not have known yet that it is closed (RFC 9113 section 5.1). */
  ignores(stream: number): boolean {
    return this.#last.includes(2 * stream + 1);
  }
}
