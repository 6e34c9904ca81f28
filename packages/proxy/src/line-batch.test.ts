import assert from "node:assert/strict";
import { test } from "node:test";
import { LineBatch } from "./line-batch.ts";

interface Sink {
  chunks: string[];
  unread: number;
  broken: boolean;
  write(chunk: Uint8Array): void;
  backlog(): number;
}

function batchWith(): { batch: LineBatch; sink: Sink; said: string[] } {
  const said: string[] = [];
  const sink: Sink = {
    chunks: [],
    unread: 0,
    backlog: () => sink.unread,
    broken: false,
    write(chunk) {
      if (sink.broken) throw new Error("no space left on device");
      sink.chunks.push(Buffer.from(chunk).toString());
    },
  };
  return { batch: new LineBatch(sink, (line) => said.push(line)), sink, said };
}

test("lines go together, in their order, whatever their length and wherever they were gathered", () => {
  const { batch, sink, said } = batchWith();
  const long = `${"ü".repeat(80_000)}\n`;
  const add = (line: string): void => {
    batch.lines.addUtf8(line);
    batch.added();
  };
  add("a\n");
  add("ü\n");
  add(long);
  add("b\n");
  batch.addChunk(Buffer.from("c\nd\n"));
  batch.flush();
  batch.flush();
  assert.deepEqual(sink.chunks, [`a\nü\n${long}`, "b\n", "c\nd\n"]);
  assert.deepEqual(said, []);
});

test("many short ones are cut into large chunks of whole lines", () => {
  const { batch, sink } = batchWith();
  for (let line = 0; line < 20_000; line++) {
    batch.lines.addUtf8(`${line} and more\n`);
    batch.added();
  }
  batch.flush();
  assert.ok(sink.chunks.length > 2 && sink.chunks.length < 20, `${sink.chunks.length} chunks`);
  assert.ok(sink.chunks.every((chunk) => chunk.endsWith("\n") && chunk.length <= 68 * 1024));
  assert.equal(sink.chunks.join("").split("\n").length, 20_001);
});

test("lines that nobody reads are dropped until the reader has caught up, counted and said", () => {
  const { batch, sink, said } = batchWith();
  sink.unread = 5 * 1024 * 1024;
  batch.addChunk(Buffer.from("a\nb\n"));
  sink.unread = 1024;
  batch.addChunk(Buffer.from("c\n"));
  assert.deepEqual(said, ["the access log drops lines: its reader is too slow"]);
  sink.unread = 0;
  batch.addChunk(Buffer.from("d\n"));
  batch.addChunk(Buffer.from("e\n"));
  assert.deepEqual(sink.chunks, ["d\n", "e\n"]);
  assert.deepEqual(said.slice(1), ["3 lines of the access log were dropped"]);
});

test("lines that cannot be written are lost, counted and said, and the next are tried", () => {
  const { batch, sink, said } = batchWith();
  sink.broken = true;
  batch.addChunk(Buffer.from("a\n"));
  batch.addChunk(Buffer.from("b\n"));
  sink.broken = false;
  batch.addChunk(Buffer.from("c\n"));
  assert.deepEqual(sink.chunks, ["c\n"]);
  assert.deepEqual(said, [
    "the access log drops lines: no space left on device",
    "2 lines of the access log were dropped",
  ]);
});
