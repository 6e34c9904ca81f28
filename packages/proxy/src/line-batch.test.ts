import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessRecord } from "./access.ts";
import { LineBatch } from "./line-batch.ts";
import { newStreamRecord } from "./streams/stream-record.ts";

interface Sink {
  chunks: string[];
  unread: number;
  broken: boolean;
  write(chunk: Uint8Array): void;
  backlog(): number;
}

const record: AccessRecord = newStreamRecord("web", "tcp", "127.0.0.1", 1, "");

/** Lines are what their routes are called, of all but the quiet ones. */
function batchWith(): { batch: LineBatch; sink: Sink; said: string[]; add: (name: string) => void } {
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
  const batch = new LineBatch(
    sink,
    (out, _record, name) => {
      if (name !== "quiet") out.addUtf8(`${name}\n`);
    },
    (line) => said.push(line),
  );
  return { batch, sink, said, add: (name) => batch.add(record, name) };
}

test("lines go together, in their order, whatever their length and wherever they were gathered", () => {
  const { batch, sink, said, add } = batchWith();
  const long = "ü".repeat(80_000);
  add("a");
  add("quiet");
  add("ü");
  add(long);
  add("b");
  batch.addChunk(Buffer.from("c\nd\n"));
  batch.flush();
  batch.flush();
  assert.deepEqual(sink.chunks, [`a\nü\n${long}\n`, "b\n", "c\nd\n"]);
  assert.deepEqual(said, []);
});

test("many short ones are cut into large chunks of whole lines", () => {
  const { batch, sink, add } = batchWith();
  for (let line = 0; line < 20_000; line++) add(`${line} and more`);
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

test("a line goes out without another that would push it", async () => {
  const { sink, add } = batchWith();
  const written = new Promise<string>((resolve) => (sink.write = (chunk) => resolve(Buffer.from(chunk).toString())));
  add("a");
  assert.equal(await written, "a\n");
});
