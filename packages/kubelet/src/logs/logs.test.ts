// Container logs: the format, rotation, tails, and following.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { type ContainerLogs, createContainerLogs } from "./container-logs.ts";
import { createLogFile, type LogFile } from "./log-file.ts";
import { formatLogLine, lineSplitter, logTime, maxLineBytes, parseLogLine } from "./log-line.ts";
import { type LogQuery, readLog } from "./log-reader.ts";

const root = mkdtempSync(join(tmpdir(), "gatehouse-logs-"));
after(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const newDirectory = (): string => join(root, String(directories++));

const neverAborted = new AbortController().signal;
async function readAll(logs: ContainerLogs, query: LogQuery = {}, signal = neverAborted): Promise<string> {
  let all = "";
  for await (const text of readLog(logs, query, signal)) all += text.toString();
  return all;
}

/** Writes text as the container's output and waits until the log has it. */
async function say(log: LogFile, source: PassThrough, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = log.onChange(resolve);
  source.write(text);
  await promise;
  unsubscribe();
}

async function logged(logs: ContainerLogs, restart: number, text: string): Promise<void> {
  const source = new PassThrough();
  const log = logs.next(restart);
  log.capture(source, "stdout");
  source.end(text);
  await log.end();
}

test("lines carry time, stream and tag, and survive being parsed", () => {
  const time = logTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  assert.equal(time, "2026-01-02T03:04:05.006000000Z");
  const line = { time, stream: "stderr" as const, full: true, text: Buffer.from("ä F x") };
  const entry = formatLogLine(line);
  assert.equal(entry.toString(), `${time} stderr F ä F x\n`);
  assert.deepEqual(parseLogLine(entry.subarray(0, -1)), line);
  for (const torn of ["", "2026", "2026-01-02T03:04:05Z stdin F x", "yesterday stdout F x", "x"]) {
    assert.equal(parseLogLine(Buffer.from(torn)), undefined, torn);
  }
});

test("chunks become lines, long lines pieces, an unfinished one its own at the end", () => {
  const splitter = lineSplitter("stdout");
  const texts = (chunk: string): string[] => splitter.push(Buffer.from(chunk), "t").map(({ text }) => text.toString());
  assert.deepEqual(texts("a\nb"), ["a"]);
  assert.deepEqual(texts("c\n\nd"), ["bc", ""]);
  assert.deepEqual(
    splitter.end("t").map(({ text, full }) => [text.toString(), full]),
    [["d", true]],
  );
  assert.deepEqual(splitter.end("t"), []);
  const long = splitter.push(Buffer.from(`${"x".repeat(maxLineBytes + 10)}\n`), "t");
  assert.deepEqual(
    long.map(({ text, full }) => [text.length, full]),
    [
      [maxLineBytes, false],
      [10, true],
    ],
  );
  assert.deepEqual(
    lineSplitter("stdout")
      .push(Buffer.from(`${"x".repeat(maxLineBytes)}\n`), "t")
      .map(({ full }) => full),
    [true],
  );
});

test("tailLines, sinceTime, timestamps, limitBytes", async () => {
  const directory = newDirectory();
  const logs = createContainerLogs(directory);
  const log = logs.next(0);
  const entries = [1, 2, 3, 4].map((second) => `2026-01-01T00:00:0${second}.000000000Z stdout F line ${second}\n`);
  writeFileSync(log.path, entries.join(""));
  const since = Date.parse("2026-01-01T00:00:03Z");
  const cases: [LogQuery, string][] = [
    [{}, "line 1\nline 2\nline 3\nline 4\n"],
    [{ tailLines: 0 }, ""],
    [{ tailLines: 1 }, "line 4\n"],
    [{ tailLines: 4 }, "line 1\nline 2\nline 3\nline 4\n"],
    [{ tailLines: 99 }, "line 1\nline 2\nline 3\nline 4\n"],
    [{ since }, "line 3\nline 4\n"],
    [{ since, tailLines: 1 }, "line 4\n"],
    [{ since: since + 9_000 }, ""],
    [{ timestamps: true, tailLines: 1 }, "2026-01-01T00:00:04.000000000Z line 4\n"],
    [{ limitBytes: 9 }, "line 1\nli"],
    [{ limitBytes: 7 }, "line 1\n"],
  ];
  for (const [query, expected] of cases) assert.equal(await readAll(logs, query), expected, JSON.stringify(query));
  await log.end();
});

test("pieces of a split line are joined again", async () => {
  const logs = createContainerLogs(newDirectory());
  const long = "y".repeat(maxLineBytes * 2 + 5);
  await logged(logs, 0, `${long}\nz\n`);
  assert.equal(await readAll(logs), `${long}\nz\n`);
});

test("a tail reaches back over block and rotation borders", async () => {
  const directory = newDirectory();
  const logs = createContainerLogs(directory, 100_000);
  const lines = Array.from({ length: 3_000 }, (_, at) => `line ${at} ${"x".repeat(40)}`);
  const source = new PassThrough();
  const log = logs.next(0);
  log.capture(source, "stdout");
  for (let at = 0; at < lines.length; at += 500) await say(log, source, `${lines.slice(at, at + 500).join("\n")}\n`);
  assert.ok(log.rotations >= 1);
  assert.ok(existsSync(`${log.path}.1`) && !existsSync(`${log.path}.2`));
  const present = readFileSync(log.path, "utf8").split("\n").length - 1;
  for (const tailLines of [1, present, present + 1, present + 200]) {
    const text = await readAll(logs, { tailLines });
    assert.equal(text, `${lines.slice(-tailLines).join("\n")}\n`, `${tailLines} of ${present}`);
  }
  source.end();
  await log.end();
});

test("following sees every line across rotations, and ends with the container", async () => {
  const logs = createContainerLogs(newDirectory(), 2_000);
  const source = new PassThrough();
  const log = logs.next(0);
  log.capture(source, "stdout");
  await say(log, source, "before\n");
  const iterator = readLog(logs, { follow: true }, neverAborted);
  const seen: string[] = [];
  const expected = ["before"];
  seen.push(String((await iterator.next()).value).trim());
  for (let at = 0; at < 100; at++) {
    const text = `line ${at} ${"x".repeat(60)}`;
    expected.push(text);
    source.write(`${text}\n`);
    seen.push(String((await iterator.next()).value).trim());
  }
  assert.ok(log.rotations > 2);
  assert.deepEqual(seen, expected);
  source.end();
  await log.end();
  logs.finish();
  assert.equal((await iterator.next()).done, true);
});

test("following goes on with the next instance; reading without it does not wait", async () => {
  const logs = createContainerLogs(newDirectory());
  await logged(logs, 0, "first\n");
  assert.equal(await readAll(logs), "first\n");
  const iterator = readLog(logs, { follow: true, tailLines: 1 }, neverAborted);
  assert.equal(String((await iterator.next()).value), "first\n");
  const next = iterator.next();
  await logged(logs, 1, "second\nthird\n");
  logs.finish();
  assert.equal(String((await next).value), "second\n");
  assert.equal(String((await iterator.next()).value), "third\n");
  assert.equal((await iterator.next()).done, true);
});

test("following ends when the reader goes away", async () => {
  const logs = createContainerLogs(newDirectory());
  const log = logs.next(0);
  const gone = new AbortController();
  const reading = readAll(logs, { follow: true }, gone.signal);
  gone.abort();
  assert.equal(await reading, "");
  await log.end();
});

test("the previous instance is kept, older ones are not", async () => {
  const directory = newDirectory();
  const logs = createContainerLogs(directory);
  assert.equal(logs.previous, undefined);
  for (const restart of [0, 1, 2]) await logged(logs, restart, `instance ${restart}\n`);
  assert.equal(await readAll(logs, { previous: true }), "instance 1\n");
  assert.equal(await readAll(logs), "instance 2\n");
  assert.equal(existsSync(join(directory, "0.log")), false);
  const later = createContainerLogs(directory);
  assert.equal(await readAll(later, { previous: true }), "instance 2\n");
});

test("torn entries are skipped", async () => {
  const directory = newDirectory();
  const log = createLogFile({ path: join(root, "torn.log"), maxBytes: 1e6 });
  await log.end();
  const logs = createContainerLogs(directory);
  const instance = logs.next(0);
  writeFileSync(instance.path, "garbage\n2026-01-01T00:00:01.000000000Z stdout F good\n2026-01-01T00:00:02.0");
  assert.equal(await readAll(logs), "good\n");
  await instance.end();
});
