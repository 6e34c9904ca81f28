// `npm run conformance` itself, with single quick tests of the official suite.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { missing, root, run, type RunResult, temporaryHome } from "../system/test-cluster.ts";
import { type SuiteVersion, suiteVersions } from "./arguments.ts";

/** Why the suite cannot be built within a test's time, or false; with Go's cache it takes seconds. */
function unbuildable(version: SuiteVersion): string | false {
  const noGo = missing("go");
  if (noGo) return noGo;
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-conformance-"));
  try {
    const cwd = join(root, "test/conformance", version);
    execFileSync("go", ["test", "-c", "-o", directory, "."], { cwd, timeout: 60_000, stdio: "pipe" });
    return false;
  } catch (error) {
    return `the suite could not be built (${(error as Error).message.split("\n")[0]}): go -C test/conformance/${version} test -c -o /dev/null .`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const program = join(root, "scripts/conformance.ts");

function conformance(args: string[], change: NodeJS.ProcessEnv = {}): Promise<RunResult> {
  const { home, environment } = conformanceEnvironment();
  return run(process.execPath, [program, ...args], { ...environment, ...change }).finally(() =>
    rmSync(home, { recursive: true, force: true }),
  );
}

/** A home of its own, in which Go finds its cache all the same. */
function conformanceEnvironment(): { home: string; environment: NodeJS.ProcessEnv } {
  const { home, environment } = temporaryHome();
  const go = { GOCACHE: goVariable("GOCACHE"), GOMODCACHE: goVariable("GOMODCACHE") };
  return { home, environment: { ...environment, ...go } };
}

function goVariable(name: string): string {
  return missing("go") ? "" : execFileSync("go", ["env", name], { encoding: "utf8" }).trim();
}

describe("npm run conformance", () => {
  for (const version of suiteVersions) {
    test(
      `runs a test of the suite of ${version} and takes its cluster down`,
      { skip: unbuildable(version) },
      async () => {
        const { code, stdout, stderr } = await conformance([
          "--version",
          version,
          "--test",
          "HTTPRouteSimpleSameNamespace",
        ]);
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, /^ ✓ HTTPRouteSimpleSameNamespace \(\d+\.\d s\)$/m);
        assert.match(stdout, /^1 of 1 passed$/m);
        assert.match(stdout, /^ ✓ Take the cluster down/m);
      },
    );
  }

  test("a test that the suite does not have is no success", { skip: unbuildable("v1.4.0") }, async () => {
    const { code, stdout, stderr } = await conformance(["--version", "v1.4.0", "--test", "NoSuchTest"]);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stderr, /Test "NoSuchTest" does not exist/);
    assert.match(stdout, /^ ✓ Take the cluster down/m);
    const [, log = ""] = /^All that the suite printed: (.*)$/m.exec(stdout) ?? [];
    assert.match(readFileSync(log, "utf8"), /NoSuchTest/);
    rmSync(log);
  });

  test("interrupted, it ends the suite and takes its cluster down", { skip: unbuildable("v1.4.0") }, async (t) => {
    const { home, environment } = conformanceEnvironment();
    const child = spawn(process.execPath, [program, "--version", "v1.4.0"], { env: environment });
    t.after(() => rmSync(home, { recursive: true, force: true }));
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      // At the suite's first test.
      if (!child.killed && /^ . (?!Build|Bring)\w+ \(/m.test(stdout)) child.kill("SIGINT");
    });
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 130, stdout);
    assert.match(stdout, /^ ✓ Take the cluster down/m);
    assert.doesNotMatch(stdout, /All that the suite printed/);
  });

  test("without Go, or with arguments that make no sense, it says so and exits with 2", async () => {
    const withoutGo = await conformance(["--version", "v1.4.0"], { PATH: "/nonexistent" });
    assert.equal(withoutGo.code, 2);
    assert.match(withoutGo.stderr, /^error: Go is not in PATH: .*install Go/m);
    const senseless = await conformance(["--version", "v9"]);
    assert.equal(senseless.code, 2);
    assert.match(senseless.stderr, /^error: --version must be v1\.4\.0 or v1\.6\.1, not v9$/m);
  });
});
