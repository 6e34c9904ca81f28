// Reads a container's log for `kubectl logs`: the last lines, those since a time, and on as they are written,
// across rotations and restarts.

import { close, existsSync, fstat, openSync, read } from "node:fs";
import { promisify } from "node:util";
import type { ContainerLogs } from "./container-logs.ts";
import type { LogFile } from "./log-file.ts";
import { type LogLine, parseLogLine } from "./log-line.ts";

export interface LogQuery {
  follow?: boolean;
  /** Only this many last lines of what is there at the start. */
  tailLines?: number;
  /** Milliseconds since the epoch: older lines are left out. */
  since?: number;
  /** Each line begins with its time. */
  timestamps?: boolean;
  /** The instance before the present one. */
  previous?: boolean;
  /** Ends after this many bytes. */
  limitBytes?: number;
}

const readAsync = promisify(read);
const closeAsync = promisify(close);
const statAsync = promisify(fstat);
const chunkBytes = 64 * 1024;

/** Yields text as it is to be sent. With `follow` it ends when the container is finished or `signal` aborts. */
export async function* readLog(logs: ContainerLogs, query: LogQuery, signal: AbortSignal): AsyncGenerator<Buffer> {
  let left = query.limitBytes ?? Infinity;
  for await (const line of query.previous ? fromPath(logs.previous, query) : fromInstances(logs, query, signal)) {
    if (query.since !== undefined && Date.parse(line.time) < query.since) continue;
    const text = Buffer.concat([
      ...(query.timestamps ? [Buffer.from(`${line.time} `)] : []),
      line.text,
      ...(line.full ? [Buffer.from("\n")] : []),
    ]);
    yield text.subarray(0, left);
    left -= text.length;
    if (left <= 0) return;
  }
}

async function* fromPath(path: string | undefined, query: LogQuery): AsyncGenerator<LogLine> {
  if (path === undefined) return;
  const files = openFiles(path);
  try {
    yield* linesFrom(files, await tailStart(files, query.tailLines));
  } finally {
    for (const file of files) await closeAsync(file);
  }
}

async function* fromInstances(logs: ContainerLogs, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
  let tailLines = query.tailLines;
  let seen: LogFile | undefined;
  for (;;) {
    const log = logs.current;
    if (log && log !== seen) {
      seen = log;
      yield* fromLog(log, tailLines, query.follow === true, signal);
      tailLines = undefined;
    } else if (logs.finished || signal.aborted || !query.follow) return;
    else await change(logs, signal, () => logs.current !== seen || logs.finished);
  }
}

async function* fromLog(
  log: LogFile,
  tailLines: number | undefined,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let rotation = log.rotations;
  const files = openFiles(log.path);
  try {
    let position = await tailStart(files, tailLines);
    position = yield* linesFrom(files, position);
    if (!follow) return;
    while (!signal.aborted) {
      const { rotations, ended, changes } = log;
      // Whatever was written before these were read is in the file now.
      position = yield* linesFrom(files, position);
      if (rotations > rotation) {
        // The file of the next rotation is the present one, or `.1`; what was rotated away unread is lost.
        rotation = Math.max(rotation + 1, log.rotations - 1);
        files.push(openSync(rotation === log.rotations ? log.path : `${log.path}.1`, "r"));
        position = { file: files.length - 1, offset: 0 };
      } else if (ended) return;
      else await change(log, signal, () => log.changes !== changes);
    }
  } finally {
    for (const file of files) await closeAsync(file);
  }
}

/** Resolves at the next change, at once when `already` holds, or when the signal aborts. */
function change(
  subject: { onChange(listener: () => void): () => void },
  signal: AbortSignal,
  already: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const unsubscribe = subject.onChange(done);
    signal.addEventListener("abort", done);
    if (already() || signal.aborted) done();
  });
}

/** The rotated half, if any, and the present one. */
function openFiles(path: string): number[] {
  return [`${path}.1`, path].filter((file) => existsSync(file)).map((file) => openSync(file, "r"));
}

interface Position {
  file: number;
  offset: number;
}

/** Whole lines from `position` to the present end; returns where it stopped. */
async function* linesFrom(files: number[], position: Position): AsyncGenerator<LogLine, Position> {
  let { file, offset } = position;
  for (; file < files.length; file++, offset = 0) {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.alloc(chunkBytes);
      const { bytesRead } = await readAsync(files[file] ?? -1, chunk, 0, chunk.length, offset + rest.length);
      if (bytesRead === 0) break;
      const data = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const end = data.lastIndexOf(0x0a) + 1;
      for (const line of splitLines(data.subarray(0, end))) yield line;
      offset += end;
      rest = data.subarray(end);
    }
    if (file === files.length - 1) break;
  }
  return { file, offset };
}

function* splitLines(data: Buffer): Generator<LogLine> {
  let from = 0;
  for (let end = data.indexOf(0x0a); end !== -1; end = data.indexOf(0x0a, from)) {
    const line = parseLogLine(data.subarray(from, end));
    if (line) yield line;
    from = end + 1;
  }
}

/** Where the last `lines` lines begin, searching backwards through all files. */
async function tailStart(files: number[], lines: number | undefined): Promise<Position> {
  if (lines === undefined) return { file: 0, offset: 0 };
  let wanted = lines;
  for (let file = files.length - 1; file >= 0; file--) {
    const { size } = await statAsync(files[file] ?? -1);
    // The newline at the very end closes the last line; each further one stands before a line.
    let newlines = -1;
    for (let end = size; end > 0; end -= Math.min(chunkBytes, end)) {
      const start = Math.max(0, end - chunkBytes);
      const chunk = Buffer.alloc(end - start);
      await readAsync(files[file] ?? -1, chunk, 0, chunk.length, start);
      for (let at = chunk.length - 1; at >= 0; at--) {
        if (chunk[at] === 0x0a && ++newlines === wanted) return { file, offset: start + at + 1 };
      }
    }
    wanted -= newlines + 1;
  }
  return { file: 0, offset: 0 };
}
