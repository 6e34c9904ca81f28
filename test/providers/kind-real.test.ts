// The session of kind.test.ts with the real programs, where there are any: Docker, kind, helm, and a network for images.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gatehouseProgram, missing, run, temporaryHome } from "../system/test-cluster.ts";
import { runSeedSuite } from "./seed-suite.ts";

const answerMs = 10_000;

/** Why Docker cannot be used, or false. */
function dockerSilent(): string | false {
  if (missing("docker")) return "docker is not installed";
  const { status } = spawnSync("docker", ["info"], { stdio: "ignore", timeout: answerMs });
  return status === 0 ? false : "Docker does not answer";
}

const skip = missing("kind") || missing("helm") || dockerSilent();

test("a real kind cluster: up, the seed's demo, up again, stop, start, down", { skip }, async (t) => {
  const { home, environment } = temporaryHome();
  const name = `gatehouse-test-${process.pid}`;
  const which = ["--cluster", "kind", "--name", name];
  const gatehouse = (...args: string[]) => run(gatehouseProgram, args, environment);
  t.after(async () => {
    await gatehouse("down", ...which);
    rmSync(home, { recursive: true, force: true });
  });

  const up = await gatehouse("up", ...which, "--http-port", "0", "--https-port", "0", "--hosts", "no", "-o", "json");
  assert.equal(up.code, 0, up.stderr);
  const { entry, context } = JSON.parse(up.stdout) as { entry: { host: string; port: number }; context: string };
  assert.equal(context, `kind-${name}`);
  const kubeconfig = join(home, ".kube/config");
  const demo = { context, entry, environment, flags: which };
  await runSeedSuite(demo);

  assert.match((await gatehouse("up", ...which)).stdout, /Already up: nothing to do\./);
  assert.equal((await gatehouse("stop", ...which)).code, 0);
  const start = await gatehouse("start", ...which);
  assert.equal(start.code, 0, start.stderr);
  await runSeedSuite(demo);

  assert.equal((await gatehouse("down", ...which)).code, 0);
  const clusters = await run("kind", ["get", "clusters"], environment);
  assert.ok(!clusters.stdout.split("\n").includes(name), clusters.stdout);
  assert.equal(existsSync(kubeconfig), false);
  assert.equal(existsSync(join(home, ".gatehouse")), false);
});
