// What stands in for a terminal: line ends, echo, erasing, and the keys that end things.

import assert from "node:assert/strict";
import { PassThrough, type Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { terminalInput, terminalOutput } from "./terminal.ts";

interface Typed {
  lines: string;
  echoed: string;
  interrupts: number;
}

async function type(...keys: string[]): Promise<Typed> {
  const echo = new PassThrough();
  let interrupts = 0;
  const input: Transform = terminalInput(echo, () => interrupts++);
  const lines = text(input);
  for (const key of keys) input.write(key, "latin1");
  input.end();
  const seen = await lines;
  echo.end();
  return { lines: seen, echoed: await text(echo), interrupts };
}

test("Enter passes a line on, with what was erased left out", async () => {
  assert.deepEqual(await type("ab", "c\x7f", "\r", "d\n"), {
    lines: "ab\nd\n",
    echoed: "abc\b \b\r\nd\r\n",
    interrupts: 0,
  });
  assert.deepEqual(await type("\x7f\x08x\r"), { lines: "x\n", echoed: "x\r\n", interrupts: 0 });
});

test("Ctrl-D passes on what is there, and at a line's start ends the input", async () => {
  assert.equal((await type("ab\x04", "c\r", "\x04", "never\r")).lines, "abc\n");
  assert.equal((await type("\x04", "never\r")).lines, "");
});

test("Ctrl-C drops the line and interrupts", async () => {
  assert.deepEqual(await type("ab\x03c\r"), { lines: "c\n", echoed: "ab^C\r\nc\r\n", interrupts: 1 });
});

test("output has a carriage return before each line feed, and is otherwise as it was", async () => {
  const output = terminalOutput();
  const seen = output.toArray();
  output.write("a\nb\n\n");
  output.end(Buffer.from([0xff, 10, 0xc3]));
  const bytes = Buffer.concat((await seen) as Buffer[]);
  assert.ok(bytes.equals(Buffer.concat([Buffer.from("a\r\nb\r\n\r\n"), Buffer.from([0xff, 13, 10, 0xc3])])));
});
