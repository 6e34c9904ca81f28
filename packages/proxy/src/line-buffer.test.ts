import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, LineBuffer } from "./line-buffer.ts";

const text = (out: LineBuffer): string => out.bytes.toString("utf8", 0, out.used);

test("numbers are written in full", () => {
  const out = new LineBuffer(64);
  for (const value of [0, 7, 10, 99, 100, 101, 999, 1000, 4_294_967_296]) {
    out.addNumber(value);
    out.addText(" ");
  }
  assert.equal(text(out), "0 7 10 99 100 101 999 1000 4294967296 ");
});

test("what clients sent cannot end a line or a quoted part, in four bytes a character at most", () => {
  const out = new LineBuffer(4096);
  const sent = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
  out.addEscaped(sent);
  assert.ok(out.used <= sent.length * 4);
  const written = text(out);
  assert.doesNotMatch(written, /\p{Cc}/u);
  assert.doesNotMatch(written, /(?<!\\)(?:\\\\)*"/);
  assert.ok(written.startsWith("\\x00\\x01"), written);
  assert.ok(written.endsWith("ýþÿ"), written);
});

test("grows when room is asked for, and gives away what there is", () => {
  const out = new LineBuffer(4);
  out.addText("ab");
  out.reserve(3);
  out.addBytes(bytesOf("cde"));
  const taken = out.take();
  out.addUtf8("ü and more");
  assert.equal(taken.toString(), "abcde");
  assert.equal(text(out), "ü and more");
});
