// Everything a connection has to send. What one turn of the event loop produces goes out in one write; streams take turns, a
// frame each, as far as windows and the transport let them.

import type { Transport } from "../io/transport.ts";
import { FIRST_WINDOW, LARGEST_WINDOW } from "./frames.ts";
import { NO_TABLE } from "./hpack/encoder.ts";
import type { FrameSink, StreamOutput } from "./stream-output.ts";
import { atEndOfTurn } from "./turn.ts";
import type { Gathering } from "./turn.ts";

/** A write is not made larger than about this, in bytes. */
const ENOUGH = 256 * 1024;
/** Whoever makes us answer without reading the answers. */
const MOST_HELD = 128 * 1024;

export class Outbox implements FrameSink, Gathering {
  /** What the client lets us send on the connection. */
  window: number = FIRST_WINDOW;
  /** So many window updates may come for the content that was sent since this was last set to 0. */
  updatesDue = 0;
  readonly #transport: Transport;
  #text = "";
  #parts: (string | Buffer)[] | null = null;
  #size = 0;
  /** Streams with something that may be sent, in the order of their turns. */
  #ready: StreamOutput[] = [];
  /** The same, but they wait for the connection's window. */
  #starved: StreamOutput[] = [];
  /** Streams whose owners wait until they are empty, or have ended. */
  #told: StreamOutput[] = [];
  #due = false;
  /** A header block was sent. */
  #begun = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  beginBlock(block: string): string {
    if (this.#begun) return block;
    this.#begun = true;
    return NO_TABLE + block;
  }

  addText(latin1: string): void {
    this.#text += latin1;
    this.#size += latin1.length;
  }

  addBytes(bytes: Buffer): void {
    this.#parts ??= [];
    if (this.#text !== "") this.#parts.push(this.#text);
    this.#text = "";
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  /** A frame of the connection's own. */
  addFrame(latin1: string): void {
    this.addText(latin1);
    this.#schedule();
  }

  /** There are more answers than the client takes. */
  get overflows(): boolean {
    return this.#size > MOST_HELD && this.#transport.blocked;
  }

  /** Handed to the transport, but not taken by the kernel yet. */
  get unsent(): boolean {
    return this.#transport.unsent > 0;
  }

  /** Nothing more can be sent now. */
  get blocked(): boolean {
    return this.#transport.blocked;
  }

  /** The stream has something to send, or its window was opened. */
  list(output: StreamOutput): void {
    if (!output.listed && (!output.empty || output.full)) {
      output.listed = true;
      this.#ready.push(output);
    }
    this.#schedule();
  }

  /** Nothing more is sent of it. Else clients that neither read nor open a window could make the lists grow. */
  remove(output: StreamOutput): void {
    if (!output.listed) return;
    output.listed = false;
    this.#ready = this.#ready.filter((each) => each !== output);
    this.#starved = this.#starved.filter((each) => each !== output);
  }

  /** False: the client's window is larger now than it may be. */
  open(increment: number): boolean {
    this.window += increment;
    for (const output of this.#starved) this.#ready.push(output);
    this.#starved = [];
    this.#schedule();
    return this.window <= LARGEST_WINDOW;
  }

  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    atEndOfTurn(this);
  }

  passOn(): void {
    this.#due = false;
    this.send();
  }

  /** Sends what can be sent now; at the end of a turn that happens by itself. */
  send(): void {
    while (!this.#transport.blocked) {
      this.#fill();
      if (this.#size === 0) break;
      this.#write();
    }
    this.#tell();
  }

  /** Before the connection's end: frames of its own go out behind whatever is still unsent. */
  sendLast(): void {
    this.send();
    if (this.#size > 0) this.#write();
  }

  /** Takes turns until all is sent, nobody may send any more, or it is enough for one write. */
  #fill(): void {
    while (this.#ready.length > 0 && this.#size < ENOUGH) {
      const turns = this.#ready;
      this.#ready = [];
      for (const output of turns) this.#take(output);
    }
  }

  #take(output: StreamOutput): void {
    this.#send(output);
    if (output.waiting > 0 && output.window > 0) {
      (this.window > 0 ? this.#ready : this.#starved).push(output);
      return;
    }
    output.listed = false;
    if (output.ended || (output.full && output.empty)) this.#told.push(output);
  }

  /** A stream that will be reset sends what it can before that. */
  hurry(output: StreamOutput): void {
    if (this.#transport.blocked) return;
    while (!output.empty && this.#send(output) > 0);
  }

  #send(output: StreamOutput): number {
    const length = output.send(this, this.window);
    this.window -= length;
    // Clients say of each frame that they took it, for the stream and the connection; but who cuts frames small with its windows
    // is owed no more than for large ones (CVE-2019-9511).
    if (length > 0) this.updatesDue += length / 1024 + (output.waiting === 0 ? 2 : 0);
    return length;
  }

  #write(): void {
    const [text, parts] = [this.#text, this.#parts];
    this.#text = "";
    this.#parts = null;
    this.#size = 0;
    if (parts === null) return this.#transport.write(text);
    if (text !== "") parts.push(text);
    this.#transport.writeAll(parts);
  }

  /** What was sent is on its way, and more may follow. */
  #tell(): void {
    if (this.#told.length === 0) return;
    const told = this.#told;
    this.#told = [];
    for (const output of told) {
      if (output.ended) output.owner.onOutputSent();
      else if (this.#transport.blocked) this.#told.push(output);
      else if (output.full && output.empty) {
        output.full = false;
        output.owner.onOutputSent();
      }
    }
  }
}
