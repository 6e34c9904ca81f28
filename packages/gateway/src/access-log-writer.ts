// Where access log lines go: standard output or a file, many lines in one write, and never more in memory than a
// reader who has stopped reading may cost.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { LineBuffer } from "./access-line.ts";

export interface AccessLogWriter {
  /** Asks `add` to add one line, unless lines are dropped for now. */
  write(add: (lines: LineBuffer) => void): void;
  /** Resolves when what was written so far has been handed on. */
  close(): Promise<void>;
}

/** Where chunks go. */
interface Sink {
  /** `chunk` is overwritten after the call. */
  write(chunk: Buffer): void;
  /** Its reader is too slow: lines are dropped for now. */
  isFull(): boolean;
  close(): Promise<void>;
}

/** Whoever follows the log waits this long at most. */
const flushAfterMs = 20;
/** Or until this many bytes have come together: one large write costs less than several small ones. */
const chunkBytes = 64 * 1024;
/** For the line that goes past it. */
const slackBytes = 4 * 1024;
const maxBacklogBytes = 4 * 1024 * 1024;

/** `filePath` empty: standard output. `onDropped` is told when lines had to be dropped, once per stall. */
export function createAccessLogWriter(filePath: string, onDropped: () => void): AccessLogWriter {
  const sink = filePath === "" ? standardOutput() : openFile(filePath);
  const lines = new LineBuffer(chunkBytes + slackBytes);
  let timer: NodeJS.Timeout | undefined;
  let stalled = false;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.used > 0) sink.write(lines.bytes.subarray(0, lines.used));
    lines.used = 0;
  };
  return {
    write: (add) => {
      if (sink.isFull()) {
        if (!stalled) onDropped();
        stalled = true;
        return;
      }
      stalled = false;
      add(lines);
      if (lines.used >= chunkBytes) flush();
      else timer ??= setTimeout(flush, flushAfterMs);
    },
    close: () => {
      flush();
      return sink.close();
    },
  };
}

function standardOutput(): Sink {
  const { stdout } = process;
  stdout.on("error", () => {});
  return {
    write: (chunk) => void stdout.write(Buffer.from(chunk)),
    isFull: () => stdout.writableLength > maxBacklogBytes,
    close: () => new Promise((resolve) => stdout.write("", () => resolve())),
  };
}

/** For its owner only, as it tells who asked for what; its directory is made, as Traefik does. Written at once: the system keeps it in
 * memory anyway, and a thread woken up for each chunk costs a tenth of all that small requests cost. */
function openFile(path: string): Sink {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a", 0o600);
  return {
    write: (chunk) => {
      try {
        for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written);
      } catch {
        // A full disk must not end the gateway: these lines are lost, the next are tried again.
      }
    },
    isFull: () => false,
    close: () => {
      closeSync(file);
      return Promise.resolve();
    },
  };
}
