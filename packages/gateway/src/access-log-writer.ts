// Where access log lines go: standard output or a file, many lines in one write, and never more in memory than a
// reader who has stopped reading may cost.

import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Writable } from "node:stream";

export interface AccessLogWriter {
  write(line: string): void;
  /** Resolves when what was written so far has been handed on. */
  close(): Promise<void>;
}

/** Whoever follows the log waits this long at most. */
const flushAfterMs = 20;
/** Or until this many bytes have come together: one large write costs less than several small ones. */
const chunkBytes = 64 * 1024;
const maxBacklogBytes = 4 * 1024 * 1024;

/** `filePath` empty: standard output. `onDropped` is told when lines had to be dropped, once per stall. */
export function createAccessLogWriter(filePath: string, onDropped: () => void): AccessLogWriter {
  const target: Writable = filePath === "" ? process.stdout : openFile(filePath);
  target.on("error", () => {});
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let used = 0;
  let timer: NodeJS.Timeout | undefined;
  let stalled = false;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (used === 0) return;
    target.write(chunk.subarray(0, used));
    // The stream keeps what it was given until it is written.
    chunk = Buffer.allocUnsafe(chunkBytes);
    used = 0;
  };
  return {
    write: (line) => {
      if (target.writableLength > maxBacklogBytes) {
        if (!stalled) onDropped();
        stalled = true;
        return;
      }
      stalled = false;
      // A character of a JavaScript string takes three bytes of UTF-8 at most.
      if (used + line.length * 3 > chunkBytes) flush();
      if (line.length * 3 > chunkBytes) target.write(line);
      else used += chunk.write(line, used);
      timer ??= setTimeout(flush, flushAfterMs);
    },
    close: () => {
      flush();
      return new Promise((resolve) => target.write("", () => resolve()));
    },
  };
}

/** For its owner only, as it tells who asked for what; its directory is made, as Traefik does. */
function openFile(path: string): Writable {
  mkdirSync(dirname(path), { recursive: true });
  return createWriteStream(path, { flags: "a", mode: 0o600 });
}
