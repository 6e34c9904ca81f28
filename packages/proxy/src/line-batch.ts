// Lines of an access log on their way to whoever takes them: many in one write, and never more in memory than a reader who has
// stopped reading may cost. What is dropped is counted and said.

import { LineBuffer } from "./line-buffer.ts";

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

export class LineBatch {
  readonly #sink: LineSink;
  readonly #say: (line: string) => void;
  /** Whoever adds to it says so by `added`. */
  readonly lines: LineBuffer = new LineBuffer(CHUNK_BYTES + SLACK_BYTES);
  #timer: NodeJS.Timeout | undefined;
  /** Lines dropped since one was written. */
  #dropped = 0;
  #stalled = false;

  /** `say` is told when lines are dropped, and afterwards how many. */
  constructor(sink: LineSink, say: (line: string) => void) {
    this.#sink = sink;
    this.#say = say;
  }

  /** There may be whole lines in `lines`. */
  added(): void {
    if (this.lines.used >= CHUNK_BYTES) this.flush();
    else if (this.lines.used > 0) this.#timer ??= setTimeout(() => this.flush(), FLUSH_AFTER);
  }

  /** Whole lines that were gathered elsewhere. */
  addChunk(lines: Uint8Array): void {
    this.flush();
    this.#send(lines);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.lines.used > 0) this.#send(this.lines.take());
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
