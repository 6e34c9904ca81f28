import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessRecord } from "../access.ts";
import { newStreamRecord } from "../streams/stream-record.ts";
import { LineWriter } from "./line-writer.ts";
import type { FromWorker } from "./messages.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function writerWith() {
  const told: FromWorker[] = [];
  const sent: (() => void)[] = [];
  const log: string[] = [];
  const writer = new LineWriter(
    (out, record, name) => {
      if (record.target !== "/quiet") out.addUtf8(`${record.requestCount} ${name}\n`);
    },
    { format: undefined, after: -1, step: 2 },
    (message, onSent = () => {}) => {
      told.push(message);
      sent.push(onSent);
    },
    (line) => log.push(line),
  );
  const lines = (): string[] =>
    told.flatMap((message) =>
      message.type === "lines" ? Buffer.from(message.lines).toString().split("\n").slice(0, -1) : [],
    );
  const asked = (): string[] =>
    told.flatMap((message) => (message.type === "nameless" ? [message.routes.map(({ route }) => route).join()] : []));
  return { writer, told, sent, log, lines, asked };
}

const record = (requestCount: number, route: string, more: Partial<AccessRecord> = {}): AccessRecord => ({
  ...newStreamRecord("web", "tcp", "127.0.0.1", 1, route),
  requestCount,
  ...more,
});
const named = (route: string): { listener: string; route: string; name: string }[] => [
  { listener: "web", route, name: `name of ${route}` },
];

test("lines wait in order for the names of their routes, which are asked for once", async () => {
  const { writer, lines, asked } = writerWith();
  writer.write(record(1, ""));
  writer.write(record(2, "a"));
  writer.write(record(3, "b"));
  writer.write(record(4, "a"));
  writer.write(record(5, "", { target: "/quiet" }));
  writer.write(record(0, ""));
  await turn();
  assert.deepEqual(asked(), ["a,b"]);
  writer.learn(named("b"));
  writer.flush();
  // What is still held goes out without a name when the worker ends.
  assert.deepEqual(lines(), ["1 ", "3 ", "5 name of b", "7 ", "0 "]);
  writer.learn(named("a"));
  writer.write(record(6, "a"));
  writer.flush();
  assert.deepEqual(lines().slice(5), ["11 name of a"]);
  await turn();
  assert.deepEqual(asked(), ["a,b"]);
});

test("with another table names are asked for again, also for lines that wait", async () => {
  const { writer, lines, asked } = writerWith();
  writer.write(record(1, "a"));
  await turn();
  writer.forget();
  await turn();
  assert.deepEqual(asked(), ["a", "a"]);
  writer.learn(named("a"));
  writer.write(record(2, "a"));
  writer.flush();
  assert.deepEqual(lines(), ["1 name of a", "3 name of a"]);
});

test("what the other process does not take is bounded: lines are dropped, counted and said", () => {
  const { writer, log, lines, sent, told } = writerWith();
  for (let count = 1; count <= 1_000_000; count++) writer.write(record(count, ""));
  writer.flush();
  const kept = lines().length;
  assert.deepEqual(log, ["the access log drops lines: its reader is too slow"]);
  const bytes = told.reduce((sum, each) => sum + (each.type === "lines" ? each.lines.length : 0), 0);
  assert.ok(bytes < 5 * 1024 * 1024, `${bytes} bytes`);
  for (const each of sent) each();
  writer.write(record(1_000_001, ""));
  writer.flush();
  assert.equal(log[1], `${1_000_000 - kept} lines of the access log were dropped`);
});

test("names that never come hold no more than so many lines", () => {
  const { writer, log, lines } = writerWith();
  for (let count = 1; count <= 20_010; count++) writer.write(record(count, "a"));
  assert.deepEqual(log, ["the access log drops lines: names of routes do not come"]);
  writer.flush();
  assert.deepEqual([lines().length, log[1]], [20_000, "10 lines of the access log were dropped"]);
});
