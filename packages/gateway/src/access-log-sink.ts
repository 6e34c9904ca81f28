// Where access log lines go: standard output or a file.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { LineSink } from "@gatehouse/proxy/line-batch";

export interface AccessLogSink extends LineSink {
  /** Resolves when what was written so far has been handed on. */
  close(): Promise<void>;
}

export function standardOutput(): AccessLogSink {
  const { stdout } = process;
  stdout.on("error", () => {});
  return {
    write: (chunk) => void stdout.write(chunk),
    backlog: () => stdout.writableLength,
    close: () => new Promise((resolve) => stdout.write("", () => resolve())),
  };
}

/** For its owner only, as it tells who asked for what; its directory is made, as Traefik does. Written at once: the system keeps it in
 * memory anyway, and a thread woken up for each chunk costs a tenth of all that small requests cost. */
export function openFile(path: string): AccessLogSink {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a", 0o600);
  return {
    write: (chunk) => {
      for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written);
    },
    backlog: () => 0,
    close: () => {
      closeSync(file);
      return Promise.resolve();
    },
  };
}
