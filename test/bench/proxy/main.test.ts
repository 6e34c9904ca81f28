// The bench itself, run as a user runs it, for one short row.

import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, describe, it } from "node:test";
import { eventually } from "../../until.ts";
import type { Report } from "./report.ts";
import type { Growth, SoakReport } from "./soak-report.ts";
import { findProgram } from "./stage.ts";

const lacking = ["nginx", "wrk", "taskset"].filter((name) => findProgram(name) === undefined);
const root = join(import.meta.dirname, "../../..");

describe("npm run bench -- proxy", { skip: lacking.length > 0 && `not installed: ${lacking.join(", ")}` }, () => {
  const directory = mkdtempSync(join(tmpdir(), "bench-test-"));
  after(() => rmSync(directory, { recursive: true, force: true }));

  function start(...args: string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(process.execPath, [join(root, "scripts/bench.ts"), "proxy", "--peers", "nginx", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: directory },
    });
  }

  /** Command lines of processes that work in the directory of this test. */
  const left = (): string[] =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(commandLine)
      .filter((line) => line.includes(directory));

  it("measures ours and nginx, and leaves nothing behind", async () => {
    const bench = start("--rows", "keepalive-1", "--rounds", "1", "--seconds", "1", "-o", "json");
    let [output, errors] = ["", ""];
    bench.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    bench.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const [code] = await once(bench, "close");
    assert.equal(code, 0, errors);
    const report = JSON.parse(output) as Report;
    assert.deepEqual(
      report.rows.map(({ name, contests }) => [name, contests.map((contest) => contest.name)]),
      [["keepalive-1", ["ours", "nginx"]]],
    );
    const medians = report.rows.flatMap(({ contests }) => contests.map(({ median }) => median));
    for (const { cpu, p99, pss, errors } of medians) {
      assert.ok(cpu > 0 && p99 > 0 && pss > 0, JSON.stringify(medians));
      assert.equal(errors, 0);
    }
    assert.deepEqual([left(), readdirSync(directory)], [[], []]);
  });

  it("soaks ours in every kind of load, and leaves nothing behind", async () => {
    const bench = start("--soak", "3", "-o", "json");
    let [output, errors] = ["", ""];
    bench.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    bench.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const [code] = await once(bench, "close");
    assert.equal(code, 0, errors);
    const { loads, samples, growth } = JSON.parse(output) as SoakReport & { growth: Growth[] };
    assert.ok(loads.length >= 5 && loads.every(({ requests }) => requests > 0), output);
    assert.ok(samples.length > 10);
    for (const { rss, pss, descriptors, heap } of samples.slice(-5))
      assert.ok(rss > 0 && pss > 0 && descriptors > 0 && heap > 0, output);
    assert.deepEqual(
      growth.map(({ figure }) => figure),
      ["rss", "pss", "heap", "descriptors"],
    );
    assert.deepEqual([left(), readdirSync(directory)], [[], []]);
  });

  it("ends all it started when it is interrupted", async () => {
    const bench = start("--rows", "keepalive-1", "--rounds", "50");
    const ended = once(bench, "close");
    // The backend, ours and nginx.
    await eventually(() => assert.ok(left().length >= 3, left().join("\n")), 30_000);
    bench.kill("SIGINT");
    const [code] = await ended;
    assert.equal(code, 130);
    await eventually(() => assert.deepEqual(left(), []));
    assert.deepEqual(readdirSync(directory), []);
  });

  it("refuses a row that is not there, before it starts anything", async () => {
    const bench = start("--rows", "sideways");
    const [code] = await once(bench, "close");
    assert.equal(code, 2);
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
