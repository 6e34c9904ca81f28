import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createProgress, type ProgressOptions } from "./progress.ts";

/** What is shown, with every duration as `T`. */
function shown(options: Partial<ProgressOptions> = {}) {
  let text = "";
  const write = (piece: string): void => void (text += piece);
  const progress = createProgress({ write, terminal: false, quiet: false, ...options });
  return { progress, text: () => text.replaceAll(/\((\d+ ms|\d+\.\d s)\)/g, "(T)") };
}

function temporaryFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-progress-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "up.log");
}

/** Runs a step whose work lasts until `finish` is called. */
function longStep(progress: ReturnType<typeof createProgress>, detail: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = progress.step("Pull", async (step) => {
    step.detail(detail);
    await promise;
  });
  return async (): Promise<void> => {
    resolve();
    await done;
  };
}

describe("without a terminal", () => {
  test("a line per step when it is done, with what it found and the time it took", async () => {
    const { progress, text } = shown();
    assert.equal(await progress.step("Add", async () => 1 + 1), 2);
    await progress.step("Find", async ({ detail }) => {
      detail("looking");
      detail("42");
    });
    progress.note("Mind the gap.");
    assert.equal(text(), " ✓ Add (T)\n ✓ Find: 42 (T)\n   Mind the gap.\n");
    assert.deepEqual(
      progress.steps.map(({ name }) => name),
      ["Add", "Find"],
    );
  });

  test("a failed step is crossed out, and the failure is the caller's", async () => {
    const { progress, text } = shown();
    const failing = progress.step("Try", async ({ detail }) => {
      detail("nearly");
      throw new Error("no");
    });
    await assert.rejects(failing, /^Error: no$/);
    assert.equal(text(), " ✗ Try: nearly (T)\n");
  });

  test("a step that lasts says every ten seconds how far it is", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const { progress, text } = shown();
    const finish = longStep(progress, "3 of 7 layers");
    t.mock.timers.tick(9_999);
    assert.equal(text(), "");
    t.mock.timers.tick(1);
    assert.equal(text(), " … Pull: 3 of 7 layers (T)\n");
    t.mock.timers.tick(20_000);
    assert.equal(text(), " … Pull: 3 of 7 layers (T)\n".repeat(3));
    await finish();
    t.mock.timers.tick(60_000);
    assert.equal(text(), `${" … Pull: 3 of 7 layers (T)\n".repeat(3)} ✓ Pull: 3 of 7 layers (T)\n`);
  });

  test("the tools' lines are shown with verbose only", async () => {
    for (const verbose of [true, false]) {
      const { progress, text } = shown({ verbose });
      await progress.step("Run", async ({ output }) => output("Pulling ..."));
      assert.equal(text(), `${verbose ? "   Pulling ...\n" : ""} ✓ Run (T)\n`);
    }
  });

  test("quiet and silenced show nothing", async () => {
    const quiet = shown({ quiet: true, verbose: true });
    const silenced = shown();
    silenced.progress.silence();
    for (const { progress, text } of [quiet, silenced]) {
      await progress.step("Run", async ({ output }) => output("a line"));
      progress.note("a note");
      assert.equal(text(), "");
      assert.equal(progress.steps.length, 1);
    }
  });
});

describe("on a terminal", () => {
  const clear = "\r\u001b[2K";
  const faint = (text: string): string => `\u001b[2m${text}\u001b[0m`;
  const green = "\u001b[32m✓\u001b[0m";

  test("the running step is drawn, redrawn with its detail every second, and replaced in the end", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const { progress, text } = shown({ terminal: true });
    const finish = longStep(progress, "1 of 2");
    assert.equal(text(), `${clear} … Pull${clear} … Pull: 1 of 2`);
    t.mock.timers.tick(1_000);
    await finish();
    assert.equal(
      text(),
      `${clear} … Pull${clear} … Pull: 1 of 2${clear} … Pull: 1 of 2${clear} ${green} Pull: 1 of 2 ${faint("(T)")}\n`,
    );
  });

  test("notes and the tools' lines stand above the running step, not in it", async () => {
    const { progress, text } = shown({ terminal: true, verbose: true });
    await progress.step("Run", async ({ output }) => {
      output("a line");
      progress.note("a note");
    });
    const step = `${clear} … Run`;
    assert.equal(
      text(),
      `${step}${clear}   ${faint("a line")}\n${step}${clear}   a note\n${step}${clear} ${green} Run ${faint("(T)")}\n`,
    );
  });

  test("a line that is redrawn does not wrap; the last one is whole", async () => {
    const { progress, text } = shown({ terminal: true });
    const long = "x".repeat(500);
    await progress.step("Run", async ({ detail }) => detail(long));
    const [redrawn = "", last = ""] = text().split(clear).slice(-2);
    assert.ok(redrawn.length < 120 && redrawn.endsWith("…"), redrawn);
    assert.ok(last.includes(long));
  });
});

describe("the log", () => {
  const lines = (path: string): string[] =>
    readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => {
        assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /);
        return line.slice(25).replaceAll(/\((\d+ ms|\d+\.\d s)\)/g, "(T)");
      });

  test("keeps all that was said, also before it had a file, also what is not shown", async (t) => {
    const path = temporaryFile(t);
    const { progress } = shown({ quiet: true });
    await progress.step("First", async ({ detail }) => detail("found"));
    assert.equal(progress.log, undefined);
    progress.logTo(path);
    assert.equal(progress.log, path);
    progress.note("a note");
    const failing = progress.step("Second", async ({ output }) => {
      output("tool's line");
      throw new Error("it broke");
    });
    await assert.rejects(failing);
    assert.deepEqual(lines(path), [
      "> First",
      "  found",
      "✓ First: found (T)",
      "a note",
      "> Second",
      "  | tool's line",
      "  it broke",
      "✗ Second (T)",
    ]);
  });

  test("is for its owner only, whatever was there before", (t) => {
    const path = temporaryFile(t);
    writeFileSync(path, "from last time\n", { mode: 0o644 });
    const { progress } = shown();
    progress.logTo(path);
    progress.note("new");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(lines(path), ["new"]);
  });

  test("that cannot be written keeps nothing from being done", async (t) => {
    const path = join(temporaryFile(t), "no/such/directory/up.log");
    const { progress, text } = shown();
    progress.logTo(path);
    await progress.step("Run", async () => {});
    assert.equal(text(), " ✓ Run (T)\n");
    assert.equal(progress.log, undefined, "a file that is not there is not named");
    assert.equal(existsSync(path), false);
  });
});
