// The little of a terminal that `kubectl exec -t` needs, as there is no pty here: its user's terminal is raw, so line ends,
// echo, erasing and the two keys that end things are ours. Programs see pipes.

import { Transform, type Writable } from "node:stream";

const keys = { interrupt: 3, end: 4, backspace: 8, newline: 10, return: 13, delete: 127 };

/** LF becomes CR LF (termios ONLCR). */
export function terminalOutput(): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, callback) => callback(null, withReturns(chunk)),
  });
}

/**
 * Typed keys become lines: echoed to `echo`, passed on with Enter (ICANON, ECHO, ICRNL). Ctrl-D at a line's start ends the
 * input, Ctrl-C calls `interrupt`.
 */
export function terminalInput(echo: Writable, interrupt: () => void): Transform {
  let line: number[] = [];
  let ended = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      for (const key of chunk) {
        if (key === keys.interrupt) {
          echo.write("^C\r\n");
          line = [];
          interrupt();
        } else if (ended) continue;
        else if (key === keys.end) {
          ended = line.length === 0;
          this.push(ended ? null : Buffer.from(line));
          line = [];
        } else if (key === keys.backspace || key === keys.delete) {
          if (line.pop() !== undefined) echo.write("\b \b");
        } else if (key === keys.return || key === keys.newline) {
          echo.write("\r\n");
          this.push(Buffer.from([...line, keys.newline]));
          line = [];
        } else {
          line.push(key);
          echo.write(Buffer.from([key]));
        }
      }
      callback();
    },
    flush(callback) {
      if (ended) callback();
      else callback(null, Buffer.from(line));
    },
  });
}

function withReturns(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
}
