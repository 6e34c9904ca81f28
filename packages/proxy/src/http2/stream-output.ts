// What one stream has to send, until its turn comes: heads, content, and how it ends. Small content is joined into Latin-1 text,
// large content waits as the very bytes that were read.

import { latin1 } from "../io/latin1.ts";
import type { ReadMemory } from "../io/transport.ts";
import { Flag, frameHead, FrameType, headerFrames, LARGEST_PAYLOAD } from "./frames.ts";

/** Up to here copying into the text is cheaper than a vectored write. */
const SMALL = 8 * 1024;

/** Takes frames in the order in which they go out. */
export interface FrameSink {
  /** What to send for a header block: the connection's first has something to say before. */
  beginBlock(block: string): string;
  addText(latin1: string): void;
  addBytes(bytes: Buffer): void;
}

/** The stream whose output it is. */
export interface OutputOwner {
  /** All there was is on its way, after `full` or the end: more may follow, unless it was the end. */
  onOutputSent(): void;
}

const End = { open: 0, due: 1, sent: 2 } as const;

export class StreamOutput {
  /** What the client lets us send. */
  window: number;
  /** Content that waits. */
  waiting = 0;
  /** Content that was sent. */
  sent = 0;
  /** Waits for its turn (see Outbox). */
  listed = false;
  /** Whoever fills it is to be told when it is empty. */
  full = false;
  readonly owner: OutputOwner;
  readonly #id: number;
  /** Header blocks of interim heads, and of the final one. */
  #interim: string[] | null = null;
  #block = "";
  #text = "";
  /** What goes before `#text`, and where to go on in the first part. */
  #parts: (string | Buffer)[] | null = null;
  #at = 0;
  #end: number = End.open;
  #trailers = "";
  /** Memory of the parts. */
  #source: ReadMemory | null = null;

  constructor(id: number, window: number, owner: OutputOwner) {
    this.#id = id;
    this.window = window;
    this.owner = owner;
  }

  addInformational(block: string): void {
    (this.#interim ??= []).push(block);
  }

  addHead(block: string): void {
    this.#block = block;
  }

  addText(latin1: string): void {
    this.#text += latin1;
    this.waiting += latin1.length;
  }

  /** `bytes` are of the memory of `source`. Whoever adds large pieces sends them at once, then calls `keep`. */
  addBytes(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (end - start <= SMALL) return this.addText(latin1(bytes, start, end));
    this.#parts ??= [];
    if (this.#text !== "") this.#parts.push(this.#text);
    this.#text = "";
    this.#parts.push(source.borrow(bytes.subarray(start, end)));
    this.#source = source;
    this.waiting += end - start;
  }

  /** `trailers`: a header block, or empty. */
  addEnd(trailers: string): void {
    this.#end = End.due;
    this.#trailers = trailers;
  }

  /** The last frame was sent. */
  get ended(): boolean {
    return this.#end === End.sent;
  }

  get empty(): boolean {
    return this.waiting === 0 && this.#interim === null && this.#block === "" && this.#end !== End.due;
  }

  /** Memory of large pieces is in use. */
  get borrows(): boolean {
    return this.#source !== null;
  }

  /** What was borrowed since the last call has been sent as far as possible: `unsent` when any of it is still needed. */
  keep(unsent: boolean): void {
    if (unsent || this.#parts !== null) this.#source?.keepReadBuffer();
    this.#source = null;
  }

  /** Nothing more is sent. */
  drop(): void {
    this.#block = this.#text = "";
    this.#parts = this.#interim = null;
    this.waiting = 0;
    this.#end = End.sent;
    this.full = false;
  }

  /** Puts heads, at most one frame of content within `most` and the windows, and the end into `sink`. Returns the content's
   * length. */
  send(sink: FrameSink, most: number): number {
    // A window may be less than nothing (RFC 9113 section 6.9.2).
    const length = Math.max(0, Math.min(this.waiting, this.window, most, LARGEST_PAYLOAD));
    const last = this.#end === End.due && length === this.waiting;
    const closes = last && this.#trailers === "";
    if (this.#interim !== null) for (const block of this.#interim) this.#sendBlock(sink, block, false);
    if (this.#block !== "") this.#sendBlock(sink, this.#block, closes && length === 0);
    if (length > 0) {
      sink.addText(frameHead(length, FrameType.data, closes ? Flag.endStream : 0, this.#id));
      this.#sendContent(sink, length);
    } else if (closes && this.#block === "") {
      sink.addText(frameHead(0, FrameType.data, Flag.endStream, this.#id));
    }
    if (last && !closes) this.#sendBlock(sink, this.#trailers, true);
    if (last) this.#end = End.sent;
    this.#interim = null;
    this.#block = "";
    return length;
  }

  #sendBlock(sink: FrameSink, block: string, end: boolean): void {
    sink.addText(headerFrames(this.#id, sink.beginBlock(block), end));
  }

  #sendContent(sink: FrameSink, length: number): void {
    this.window -= length;
    this.waiting -= length;
    this.sent += length;
    if (this.#parts === null && length === this.#text.length) {
      sink.addText(this.#text);
      this.#text = "";
      return;
    }
    for (let rest = length; rest > 0;) {
      const part = this.#first();
      const stop = Math.min(part.length, this.#at + rest);
      if (typeof part === "string") sink.addText(part.slice(this.#at, stop));
      else addPiece(sink, part, this.#at, stop);
      rest -= stop - this.#at;
      this.#at = stop;
      if (stop === part.length) this.#shift();
    }
  }

  #first(): string | Buffer {
    if (this.#parts === null) {
      this.#parts = [this.#text];
      this.#text = "";
    }
    return this.#parts[0]!;
  }

  #shift(): void {
    this.#at = 0;
    this.#parts!.shift();
    if (this.#parts!.length === 0) this.#parts = null;
  }
}

function addPiece(sink: FrameSink, bytes: Buffer, start: number, end: number): void {
  if (end - start <= SMALL) sink.addText(latin1(bytes, start, end));
  else sink.addBytes(bytes.subarray(start, end));
}
