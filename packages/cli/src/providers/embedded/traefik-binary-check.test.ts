import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test, type TestContext } from "node:test";
import { UserError } from "../../user-error.ts";
import { findTraefik } from "./traefik-binary-check.ts";

/** A program that answers `version` with `output`. */
function program(t: TestContext, output: string, exitCode = 0): string {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-traefik-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "traefik");
  writeFileSync(path, `#!/bin/sh\n[ "$1" = version ] || exit 9\nprintf '${output}'\nexit ${exitCode}\n`, {
    mode: 0o755,
  });
  return path;
}

/** Undefined, for the default of findTraefik: the one in PATH. */
function withPath(t: TestContext, path: string): undefined {
  const before = process.env.PATH;
  t.after(() => void (process.env.PATH = before));
  process.env.PATH = path;
}

const traefik3 = "Version:      3.6.15\\nCodename:     ramequin\\n";

test("the binary that is named, absolute or not, with its version", async (t) => {
  const path = program(t, traefik3);
  assert.deepEqual(await findTraefik(path), { path, version: "3.6.15" });
  assert.deepEqual(await findTraefik(relative(process.cwd(), path)), { path, version: "3.6.15" });
});

test("the first traefik of PATH that can be run", async (t) => {
  const first = program(t, traefik3);
  chmodSync(first, 0o644);
  const second = program(t, "Version:      v3.5.0\\n");
  withPath(t, `relative:/nowhere:${join(first, "..")}:${join(second, "..")}`);
  assert.deepEqual(await findTraefik(), { path: second, version: "3.5.0" });
});

test("one built from source without a version is taken", async (t) => {
  assert.equal((await findTraefik(program(t, "Version:      dev\\n"))).version, "dev");
});

const refused: [string, (t: TestContext) => string | undefined, RegExp][] = [
  [
    "no traefik in PATH",
    (t) => withPath(t, "/nowhere"),
    /no traefik in PATH: get Traefik 3 from .*--traefik-binary PATH/,
  ],
  ["a path that does not exist", () => "/nowhere/traefik", /--traefik-binary \/nowhere\/traefik: no such file/],
  ["a directory", () => tmpdir(), /not a file/],
  ["a file without execute permission", notExecutable, /not executable: chmod \+x/],
  ["Traefik 2", (t) => program(t, "Version:      2.11.2\\n"), /is Traefik 2\.11\.2, .*needs Traefik 3/],
  ["another program", (t) => program(t, "hello 3.6\\n"), /is no Traefik/],
  ["one that fails", (t) => program(t, "Version: 3.6.1\\n", 7), /version failed \(7\)/],
];
for (const [what, prepare, message] of refused) {
  test(`${what} is refused in one line`, async (t) => {
    const path = prepare(t);
    await assert.rejects(
      findTraefik(path),
      (error) => error instanceof UserError && message.test(error.message) && !error.message.includes("\n"),
    );
  });
}

function notExecutable(t: TestContext): string {
  const path = program(t, traefik3);
  chmodSync(path, 0o644);
  return path;
}
