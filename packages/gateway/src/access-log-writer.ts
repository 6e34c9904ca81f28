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

const flushAfterMs = 10;
const maxBacklogBytes = 4 * 1024 * 1024;

/** `filePath` empty: standard output. `onDropped` is told when lines had to be dropped, once per stall. */
export function createAccessLogWriter(filePath: string, onDropped: () => void): AccessLogWriter {
  const target: Writable = filePath === "" ? process.stdout : openFile(filePath);
  target.on("error", () => {});
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let stalled = false;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0) return;
    target.write(lines.join(""));
    lines = [];
  };
  return {
    write: (line) => {
      if (target.writableLength > maxBacklogBytes) {
        if (!stalled) onDropped();
        stalled = true;
        return;
      }
      stalled = false;
      lines.push(line);
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
