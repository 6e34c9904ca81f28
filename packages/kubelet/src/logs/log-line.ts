// One line of a container log in the CRI format: `<RFC3339Nano time> <stdout|stderr> <F|P> <text>`.
// `P` marks a piece of a line too long for one entry; the last piece has `F`.

export type StreamName = "stdout" | "stderr";

export interface LogLine {
  /** As written. */
  time: string;
  stream: StreamName;
  /** False for all but the last piece of a split line. */
  full: boolean;
  text: Buffer;
}

/** Longer lines are split, as container runtimes do. */
export const maxLineBytes = 16 * 1024;

const newline = Buffer.from("\n");

/** Nine digits of a second, as Kubernetes prints log times. */
export function logTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}000000Z`;
}

/** The entry with its newline. */
export function formatLogLine(line: LogLine): Buffer {
  const head = Buffer.from(`${line.time} ${line.stream} ${line.full ? "F" : "P"} `);
  return Buffer.concat([head, line.text, newline]);
}

/** Parses an entry without its newline; undefined when it is none (a torn write after a crash). */
export function parseLogLine(entry: Buffer): LogLine | undefined {
  const head = /^(\S+) (stdout|stderr) ([FP]) /.exec(entry.subarray(0, 64).toString("latin1"));
  const [all, time, stream, tag] = head ?? [];
  if (all === undefined || time === undefined || Number.isNaN(Date.parse(time))) return undefined;
  return { time, stream: stream as StreamName, full: tag === "F", text: entry.subarray(all.length) };
}

/** Cuts a byte stream into log lines. `push` takes a chunk, `end` yields an unterminated last line. */
export interface LineSplitter {
  push(chunk: Buffer, time: string): LogLine[];
  end(time: string): LogLine[];
}

export function lineSplitter(stream: StreamName): LineSplitter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push: (chunk, time) => {
      const lines: LogLine[] = [];
      let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (;;) {
        const end = data.indexOf(0x0a);
        if (end !== -1 && end <= maxLineBytes) {
          lines.push({ time, stream, full: true, text: data.subarray(0, end) });
          data = data.subarray(end + 1);
        } else if (data.length > maxLineBytes) {
          lines.push({ time, stream, full: false, text: data.subarray(0, maxLineBytes) });
          data = data.subarray(maxLineBytes);
        } else break;
      }
      rest = data;
      return lines;
    },
    end: (time) => {
      const text = rest;
      rest = Buffer.alloc(0);
      return text.length === 0 ? [] : [{ time, stream, full: true, text }];
    },
  };
}
