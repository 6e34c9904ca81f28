// Gathers what one turn of the event loop has to say to a peer into one system call: small data is joined into one
// Latin-1 string (which never retains memory), large data travels as the very bytes that were read.

import { latin1 } from "./latin1.ts";
import type { ReadMemory, Transport } from "./transport.ts";

/** Up to here copying into the string is cheaper than a vectored write, in bytes. */
export const SMALL = 8 * 1024;

export class BatchedWriter {
  readonly #transport: Transport;
  #text = "";
  /** What goes before `#text`, when there are large parts. */
  #parts: (string | Buffer)[] | null = null;
  /** Owner of the large parts. */
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
      this.#text += latin1(bytes, start, end);
      return;
    }
    this.#parts ??= [];
    if (this.#text !== "") {
      this.#parts.push(this.#text);
      this.#text = "";
    }
    this.#parts.push(source.borrow(bytes.subarray(start, end)));
    this.#source = source;
  }

  /** Sends what was added. True when more may follow, false when the peer must drain first. */
  flush(): boolean {
    if (this.#parts !== null) this.#writeParts(this.#parts);
    else if (this.#text !== "") {
      const text = this.#text;
      this.#text = "";
      this.#transport.write(text);
    }
    return !this.#transport.blocked;
  }

  #writeParts(parts: (string | Buffer)[]): void {
    if (this.#text !== "") parts.push(this.#text);
    this.#text = "";
    this.#parts = null;
    this.#transport.writeAll(parts);
    if (this.#transport.unsent > 0) this.#source?.keepReadBuffer();
    this.#source = null;
  }
}
