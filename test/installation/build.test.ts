// A checkout builds and installs itself when needed: several commands at once, and what a failing build says.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { root as project, run, type RunResult } from "../system/test-cluster.ts";

/** A checkout with the project's scripts alone. */
function checkout(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "gatehouse-build-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(project, "scripts"), join(root, "scripts"), { recursive: true });
  return root;
}

const build = (root: string): Promise<RunResult> =>
  run(process.execPath, ["--disable-warning=ExperimentalWarning", join(root, "scripts/build.ts")], process.env);

const workOf = (root: string): string[] => readdirSync(join(root, "dist")).filter((name) => name.startsWith(".build-"));

/** The number of a process that was. */
function endedProcess(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

test("builds at the same time do not disturb each other; what a killed one left behind is removed", async (t) => {
  const root = checkout(t);
  for (const name of ["packages", "node_modules"]) symlinkSync(join(project, name), join(root, name));
  mkdirSync(join(root, `dist/.build-${endedProcess()}`), { recursive: true });
  for (const { code, stderr } of await Promise.all([build(root), build(root), build(root)])) {
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
  }
  assert.deepEqual(workOf(root), []);
  for (const name of [".stamp", "images/traefik-binary.js", "dashboard/index.html", "dashboard/app.js"]) {
    assert.ok(existsSync(join(root, "dist", name)), name);
  }
  const started = await run(process.execPath, [join(root, "dist/gatehouse.js"), "--version"], process.env);
  assert.match(started.stdout, /^\d+\.\d+\.\d+/, started.stderr);
});

test("a build that fails says so in a line per error and one for the way out; the last build stays as it was", async (t) => {
  const root = checkout(t);
  symlinkSync(join(project, "node_modules"), join(root, "node_modules"));
  for (const name of ["packages/cli/src", "packages/dashboard/src/page", "dist"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  writeFileSync(join(root, "packages/cli/src/main.ts"), "const fine = 1;\nconst = 2;\n");
  writeFileSync(join(root, "packages/dashboard/src/page/app.ts"), 'import "./no-such-file.ts";\n');
  writeFileSync(join(root, "dist/gatehouse.js"), "the last build");
  const { code, stdout, stderr } = await build(root);
  assert.deepEqual([code, stdout], [1, ""]);
  const lines = stderr.trimEnd().split("\n");
  for (const line of lines) assert.match(line, /^error: /);
  assert.ok(lines.includes('error: packages/cli/src/main.ts:2:7: Expected identifier but found "="'), stderr);
  assert.match(stderr, /^error: packages\/dashboard\/src\/page\/app\.ts:1:8: Could not resolve/m);
  assert.match(lines.at(-1) ?? "", /cannot be built \(see above\): mend that or undo the change, then try again/);
  assert.equal(readFileSync(join(root, "dist/gatehouse.js"), "utf8"), "the last build");
  assert.deepEqual(readdirSync(join(root, "dist")), ["gatehouse.js"]);
});

/** Sources scripts/ensure-installed.sh with a stand-in for npm, which notes that it was called. */
async function install(root: string): Promise<RunResult> {
  const bin = join(root, "bin");
  mkdirSync(bin, { recursive: true });
  const npm = "#!/bin/sh\necho called >> calls\ntouch node_modules/.package-lock.json\n";
  if (!existsSync(join(bin, "npm"))) writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
  const path = [bin, dirname(process.execPath), process.env.PATH ?? ""].join(delimiter);
  const script = 'set -euo pipefail; root="$1"; source "$root/scripts/ensure-installed.sh"; echo "$node"';
  return run("bash", ["-c", script, "bash", root], { ...process.env, PATH: path });
}

test("commands at the same time install once; a lock whose holder is gone is taken away", async (t) => {
  const root = checkout(t);
  writeFileSync(join(root, "package-lock.json"), "{}");
  mkdirSync(join(root, "node_modules"));
  const lock = join(root, "node_modules/.gatehouse-install");
  symlinkSync(String(endedProcess()), lock);
  for (const { code, stdout, stderr } of await Promise.all([install(root), install(root), install(root)])) {
    assert.equal(code, 0, stderr);
    assert.match(stdout, /node\n$/);
  }
  assert.equal(readFileSync(join(root, "calls"), "utf8"), "called\n");
  assert.throws(() => readlinkSync(lock), { code: "ENOENT" });
});

test("a lock whose holder is gone is taken away by one of those who see that, however slowly they look", async (t) => {
  const root = checkout(t);
  writeFileSync(join(root, "package-lock.json"), "{}");
  mkdirSync(join(root, "node_modules"));
  mkdirSync(join(root, "bin"));
  // Between what it read and what its caller does next, others go on.
  const slow = '#!/bin/sh\nPATH="${PATH#*:}" readlink "$@"; code=$?; sleep 0.$(($$ % 3)); exit $code\n';
  writeFileSync(join(root, "bin/readlink"), slow, { mode: 0o755 });
  symlinkSync(String(endedProcess()), join(root, "node_modules/.gatehouse-install"));
  const results = await Promise.all(Array.from({ length: 8 }, () => install(root)));
  for (const { code, stderr } of results) assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(root, "calls"), "utf8"), "called\n");
  assert.deepEqual(readdirSync(join(root, "node_modules")), [".package-lock.json"]);
});

test("an installation that fails frees the lock, and says what to do", async (t) => {
  const root = checkout(t);
  writeFileSync(join(root, "package-lock.json"), "{}");
  mkdirSync(join(root, "bin"));
  writeFileSync(join(root, "bin/npm"), "#!/bin/sh\nexit 7\n", { mode: 0o755 });
  const { code, stderr } = await install(root);
  assert.equal(code, 1);
  assert.match(stderr, /error: npm install failed in .*: check the network/);
  assert.throws(() => readlinkSync(join(root, "node_modules/.gatehouse-install")), { code: "ENOENT" });
});
