// Lines of an access log on their way to whoever takes them: many in one write, and never more in memory than a reader who has
// stopped reading may cost. What is dropped is counted and said.

import type { AccessRecord } from "./access.ts";
import { LineBuffer } from "./line-buffer.ts";

/** Adds the line of a record with its end, or nothing when it has none. `name` is what the log calls the record's route. */
export type LineFormat = (out: LineBuffer, record: AccessRecord, name: string) => void;

/** Where chunks of whole lines go. */
export interface LineSink {
  /** The chunk is the sink's from then on. Throws when it is lost. */
  write(chunk: Uint8Array): void;
  /** Bytes that were written and not taken yet. */
  backlog(): number;
}

/** Whoever follows the log waits this long at most, in milliseconds. */
const FLUSH_AFTER = 20;
/** Or until this many bytes have come together: one large write costs less than several small ones. */
const CHUNK_BYTES = 64 * 1024;
/** For the line that goes past it. */
const SLACK_BYTES = 4 * 1024;
const MOST_BACKLOG = 4 * 1024 * 1024;
/** Lines of so many records are made at a time: the code that makes them would not be in the processor's cache for a single one. */
const BUNCH = 32;

export class LineBatch {
  readonly #sink: LineSink;
  readonly #format: LineFormat;
  readonly #say: (line: string) => void;
  readonly #lines: LineBuffer = new LineBuffer(CHUNK_BYTES + SLACK_BYTES);
  /** Without lines yet, each with the name of its route. */
  readonly #records: AccessRecord[] = [];
  readonly #names: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Lines dropped since one was written. */
  #dropped = 0;
  #stalled = false;

  /** `say` is told when lines are dropped, and afterwards how many. */
  constructor(sink: LineSink, format: LineFormat, say: (line: string) => void) {
    this.#sink = sink;
    this.#format = format;
    this.#say = say;
  }

  /** `name` as of `LineFormat`. The record must not change any more. */
  add(record: AccessRecord, name: string): void {
    this.#names.push(name);
    if (this.#records.push(record) < BUNCH) this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER);
    else this.#makeLines();
  }

  #makeLines(): void {
    for (let at = 0; at < this.#records.length; at++) {
      this.#format(this.#lines, this.#records[at]!, this.#names[at]!);
      if (this.#lines.used >= CHUNK_BYTES) this.#send(this.#lines.take());
    }
    this.#records.length = 0;
    this.#names.length = 0;
  }

  /** Whole lines that were gathered elsewhere. */
  addChunk(lines: Uint8Array): void {
    this.flush();
    this.#send(lines);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#makeLines();
    if (this.#lines.used > 0) this.#send(this.#lines.take());
  }

  #send(chunk: Uint8Array): void {
    const backlog = this.#sink.backlog();
    // Once it stands still it has to catch up: else this would be said for every chunk.
    this.#stalled = this.#stalled ? backlog > 0 : backlog > MOST_BACKLOG;
    if (this.#stalled) return this.drop(linesIn(chunk), "its reader is too slow");
    try {
      this.#sink.write(chunk);
    } catch (error) {
      return this.drop(linesIn(chunk), (error as Error).message);
    }
    if (this.#dropped > 0) this.#say(`${this.#dropped} lines of the access log were dropped`);
    this.#dropped = 0;
  }

  /** For `reason`, so many lines do not get here. */
  drop(lines: number, reason: string): void {
    if (this.#dropped === 0) this.#say(`the access log drops lines: ${reason}`);
    this.#dropped += lines;
  }
}

function linesIn(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  return lines;
}
