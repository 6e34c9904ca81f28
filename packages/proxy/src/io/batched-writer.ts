// Gathers what one turn of the event loop has to say to a peer into one system call: small data is joined into one
// Latin-1 string (which never retains memory), large data travels as the very bytes that were read.

import type { ReadMemory, Transport } from "./transport.ts";

/** Up to here copying into the string is cheaper than a vectored write. */
const SMALL = 8 * 1024;

export class BatchedWriter {
  readonly #transport: Transport;
  #text = "";
  #corked = false;
  #source: ReadMemory | null = null;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  addText(latin1: string): void {
    this.#text += latin1;
  }

  /** `bytes` are of the memory of `source`, which is told when they are still needed after `flush`. */
  addBytes(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (end - start <= SMALL) {
      this.#text += bytes.toString("latin1", start, end);
      return;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.#transport.cork();
    }
    this.#writeText();
    this.#transport.write(source.borrow(bytes.subarray(start, end)));
    this.#source = source;
  }

  /** Sends what was added. True when more may follow, false when the peer must drain first. */
  flush(): boolean {
    this.#writeText();
    if (this.#corked) {
      this.#corked = false;
      this.#transport.uncork();
    }
    if (this.#source !== null) {
      if (this.#transport.unsent > 0) this.#source.keepReadBuffer();
      this.#source = null;
    }
    return !this.#transport.blocked;
  }

  #writeText(): void {
    if (this.#text === "") return;
    this.#transport.write(this.#text);
    this.#text = "";
  }
}
