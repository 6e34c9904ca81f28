import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { UserError } from "../user-error.ts";
import { commandLine, failureText, runProgram, runSuccessfully } from "./run-program.ts";

/** This Node with a script. */
const node = (script: string) => ({ program: process.execPath, args: ["-e", script] });

/** Writes pieces one after the other, each in a chunk of its own. */
const writing = (pieces: string[]): string =>
  `const pieces = ${JSON.stringify(pieces)}; const next = () => { const piece = pieces.shift(); if (piece !== undefined) process.stdout.write(piece, () => setTimeout(next, 5)); }; next();`;

describe("runProgram", () => {
  const splittings: [name: string, pieces: string[], lines: string[]][] = [
    ["whole lines", ["one\ntwo\n"], ["one", "two"]],
    ["a line in pieces", ["o", "n", "e\ntw", "o\n"], ["one", "two"]],
    ["no line break at the end", ["one\ntwo"], ["one", "two"]],
    ["empty lines stay", ["one\n\ntwo\n"], ["one", "", "two"]],
    ["Windows' line breaks", ["one\r\ntwo\r\n"], ["one", "two"]],
    ["a line break cut in two", ["one\r", "\ntwo\r", "\n"], ["one", "two"]],
    ["a carriage return begins anew", ["10%\r50%\r100%\ndone\n"], ["10%", "50%", "100%", "done"]],
    ["a carriage return at the end of a piece", ["10%\r", "50%\n"], ["10%", "50%"]],
    ["a carriage return at the very end", ["10%\r"], ["10%"]],
    ["letters of several bytes", ["✓ Änderung\n"], ["✓ Änderung"]],
  ];
  for (const [name, pieces, expected] of splittings) {
    test(`lines: ${name}`, async () => {
      const seen: string[] = [];
      const result = await runProgram({ ...node(writing(pieces)), onLine: (line) => seen.push(line) });
      assert.deepEqual(seen, expected);
      assert.deepEqual(result, { code: 0, stdout: pieces.join(""), lines: expected });
    });
  }

  test("standard error is among the lines and not in stdout; the exit code is the program's", async () => {
    const result = await runProgram(node('console.log("out"); console.error("err"); process.exitCode = 7'));
    assert.deepEqual(
      { ...result, lines: result.lines.toSorted() },
      { code: 7, stdout: "out\n", lines: ["err", "out"] },
    );
  });

  test("standard input, and a program that does not read it", async () => {
    const echo = await runProgram({ ...node("process.stdin.pipe(process.stdout)"), input: "hello" });
    assert.equal(echo.stdout, "hello");
    const deaf = await runProgram({ ...node("process.stdin.destroy()"), input: "x".repeat(1_000_000) });
    assert.equal(deaf.code, 0);
  });

  test("the environment is what was given", async () => {
    const script = node("console.log(process.env.MINE, process.env.HOME)");
    assert.equal((await runProgram({ ...script, environment: { MINE: "1" } })).stdout, "1 undefined\n");
  });

  test("very much output: every line is seen, the last ones are kept", async () => {
    let seen = 0;
    const script = "for (let i = 0; i < 30000; i++) console.log('line ' + i)";
    const { lines, stdout } = await runProgram({ ...node(script), onLine: () => seen++ });
    assert.equal(seen, 30_000);
    assert.equal(lines.at(-1), "line 29999");
    assert.ok(lines.length <= 10_000, `${lines.length} lines are kept`);
    assert.equal(stdout.split("\n").length, 30_001);
  });

  test("one line without an end", async () => {
    const { lines } = await runProgram(node("process.stdout.write('x'.repeat(8_000_000))"));
    assert.deepEqual(
      lines.map(({ length }) => length),
      [8_000_000],
    );
  });

  test("a program that is not there, and one that is none", async (t) => {
    await assert.rejects(
      runProgram({ program: "gatehouse-no-such-program", args: [] }),
      new UserError(
        "gatehouse-no-such-program is not installed, or not in PATH: gatehouse doctor says how to get what is missing",
      ),
    );
    const directory = mkdtempSync(join(tmpdir(), "gatehouse-run-"));
    t.after(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "text"), "no program", { mode: 0o644 });
    await assert.rejects(runProgram({ program: join(directory, "text"), args: [] }), /text cannot be run: .*EACCES/);
  });

  test("one that takes too long is ended, and what it started is not waited for", async () => {
    const holder = "setInterval(() => {}, 1000)";
    const script = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(holder)}], { stdio: "inherit" }).on("spawn", function () { console.log(this.pid) }); ${holder}`;
    let grandchild = 0;
    const onLine = (line: string): void => {
      grandchild = Number(line);
    };
    const run = { ...node(script), onLine, timeoutMs: 2_000 };
    try {
      await assert.rejects(runProgram(run), /did not end within 2 s$/);
    } finally {
      if (grandchild > 0) process.kill(grandchild, "SIGKILL");
    }
  });

  test("a signal that ends it is an exit code, as in a shell", async () => {
    assert.equal((await runProgram(node('process.kill(process.pid, "SIGTERM")'))).code, 143);
    assert.equal((await runProgram(node('process.kill(process.pid, "SIGKILL")'))).code, 137);
  });

  test("listeners for signals are only there meanwhile", async () => {
    const before = process.listenerCount("SIGINT");
    await runProgram(node(""));
    await runProgram({ program: "gatehouse-no-such-program", args: [] }).catch(() => {});
    assert.equal(process.listenerCount("SIGINT"), before);
  });
});

describe("an interruption", () => {
  const file = new URL("run-program.ts", import.meta.url).href;
  /** A process that runs a tool, says when the tool is there, and then how the run ended. */
  const runner = (tool: string) =>
    spawn(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "-e",
      `const { runProgram } = await import(${JSON.stringify(file)});
       const run = { program: process.execPath, args: ["-e", ${JSON.stringify(tool)}], onLine: (line) => console.log(line) };
       await runProgram(run).then(console.log, (error) => console.log("END", error.exitCode, error.message));`,
    ]);
  const cases: [signal: NodeJS.Signals, code: number][] = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ];
  for (const [signal, code] of cases) {
    test(`${signal} ends the tool first, then the run with exit code ${code}`, async () => {
      const child = runner(
        `process.on("${signal}", () => { console.log("told"); process.exit(0) }); setInterval(() => {}, 1000); console.log("there")`,
      );
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes("there")) child.kill(signal);
        output += text;
      });
      await once(child, "close");
      assert.match(
        output,
        new RegExp(`there\ntold\nEND ${code} interrupted while node -e .* was running; run the same command again`),
      );
    });
  }

  test("a tool that does not listen is killed by the second one", async () => {
    const child = runner(
      'process.on("SIGINT", () => console.log("no")); setInterval(() => {}, 1000); console.log("there")',
    );
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (/there|no\n/.test(text)) child.kill("SIGINT");
      output += text;
    });
    await once(child, "close");
    assert.match(output, /there\nno\nEND 130 /);
  });
});

describe("failureText", () => {
  const run = { program: "/usr/local/bin/tool", args: ["do", "it now"] };
  const failures = [
    { pattern: /port (\d+) taken/, remedy: ([, port = ""]: RegExpMatchArray) => `free ${port}` },
    { pattern: /taken/, remedy: "never reached" },
  ];

  test("command, code, lines and the remedy of the first that fits", () => {
    assert.equal(
      failureText(run, { code: 3, lines: ["one", "", "ERROR: port 80 taken"] }, failures),
      "tool do 'it now' failed with exit code 3\n  | one\n  | ERROR: port 80 taken\nremedy: free 80",
    );
  });

  test("no remedy is made up, and silence is silence", () => {
    assert.equal(
      failureText(run, { code: 1, lines: ["what?"] }, failures),
      "tool do 'it now' failed with exit code 1\n  | what?",
    );
    assert.equal(failureText(run, { code: 1, lines: [] }, failures), "tool do 'it now' failed with exit code 1");
  });

  test("the last eight lines, and the one that says what failed when it is before them", () => {
    const many = Array.from({ length: 12 }, (_, index) => `line ${index}`);
    const shown = (lines: string[]): string[] => failureText(run, { code: 1, lines }, []).split("\n").slice(1);
    const last = many.slice(-8).map((line) => `  | ${line}`);
    assert.deepEqual(shown(many), last);
    assert.deepEqual(shown(["ERROR: it", ...many]), ["  | ERROR: it", "  | … 4 more lines …", ...last]);
    assert.deepEqual(shown(["ERROR: it", ...many.slice(-8)]), ["  | ERROR: it", ...last]);
    assert.deepEqual(shown([...many, "Error: it"]).at(-1), "  | Error: it");
  });

  test("a long line is cut", () => {
    const text = failureText(run, { code: 1, lines: ["x".repeat(1_000)] }, []);
    assert.equal(text.split("\n")[1], `  | ${"x".repeat(400)}…`);
  });
});

test("runSuccessfully throws for an exit code, and gives the result without one", async () => {
  assert.equal((await runSuccessfully(node("console.log(1)"))).stdout, "1\n");
  await assert.rejects(
    runSuccessfully(node('console.error("boom"); process.exit(2)'), [{ pattern: /boom/, remedy: "duck" }]),
    /failed with exit code 2\n {2}\| boom\nremedy: duck$/,
  );
});

const typed: [args: string[], expected: string][] = [
  [["get", "pods", "-n", "a=b"], "tool get pods -n a=b"],
  [["{{.ID}}\t{{.Names}}"], "tool '{{.ID}}\t{{.Names}}'"],
  [["it's"], "tool 'it'\\''s'"],
  [[""], "tool ''"],
  [["^traefik$", "https://x.example/?a=1"], "tool '^traefik$' 'https://x.example/?a=1'"],
];
for (const [args, expected] of typed) {
  test(`as one would type it: ${expected}`, () => assert.equal(commandLine("/usr/bin/tool", args), expected));
}
