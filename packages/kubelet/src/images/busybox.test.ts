import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";

const script = join(import.meta.dirname, "busybox.ts");

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe("busybox", () => {
  const cases: [string[], number, string][] = [
    [[], 0, ""],
    [["true"], 0, ""],
    [["/bin/false"], 1, ""],
    [["echo", "two", "words"], 0, "two words\n"],
    [["echo", "-n", "$HOME"], 0, "$HOME"],
    [["sleep", "0.01", "0s"], 0, ""],
  ];
  for (const [args, code, stdout] of cases) {
    it(`runs ${JSON.stringify(args)}`, async () => {
      assert.deepEqual(await run(...args), { code, stdout, stderr: "" });
    });
  }

  it("has no other program, a shell least of all", async () => {
    const { code, stderr } = await run("sh", "-c", "true");
    assert.equal(code, 127);
    assert.match(stderr, /^sh: applet not found/);
    assert.equal((await run("sleep", "-1")).code, 1);
  });
});
