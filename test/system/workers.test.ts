// A gateway that was given more than one core (GOMAXPROCS, as for Traefik) serves the same demo from several processes.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { eventually } from "../until.ts";
import { missing, startTestCluster, type TestCluster } from "./test-cluster.ts";

const skip = process.platform === "linux" ? missing("kubectl") : "needs /proc";

describe("a gateway of two workers", { skip }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
    const set = await cluster.kubectl("set", "env", "daemonset/traefik", "-n", "traefik", "GOMAXPROCS=2");
    assert.equal(set.code, 0, set.stderr);
    const rollout = await cluster.kubectl("rollout", "status", "daemonset/traefik", "-n", "traefik", "--timeout=60s");
    assert.equal(rollout.code, 0, rollout.stderr);
  });
  after(() => cluster?.remove());

  it("serves hosts and paths, and writes one access log", async () => {
    for (let count = 0; count < 20; count++) {
      const answer = await cluster.get("http://whoami.localhost/worked");
      assert.equal(answer.status, 200);
    }
    assert.equal((await cluster.get("http://demo.localhost/v2")).status, 200);
    assert.equal((await cluster.get("http://demo.localhost/v10")).status, 404);
    await eventually(async () => {
      const { stdout } = await cluster.kubectl("logs", "-n", "traefik", "daemonset/traefik");
      assert.equal(stdout.match(/"GET \/worked HTTP\/1\.1" 200/g)?.length, 20);
    });
  });

  it("has a process for each, of which one that is killed is replaced without a request failing", async () => {
    const pids = workersOf(cluster.home);
    assert.equal(pids.length, 2);
    process.kill(pids[0]!, "SIGKILL");
    await eventually(() => assert.ok(!workersOf(cluster.home).includes(pids[0]!)));
    // Those whom the system puts into its queue wait for its successor.
    for (let count = 0; count < 20; count++) assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
    await eventually(() => assert.equal(workersOf(cluster.home).filter((pid) => !pids.includes(pid)).length, 1));
  });
});

/** Workers whose HOME lies in this cluster's state. */
function workersOf(home: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return /proxy-worker|worker-main/.test(command) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(home);
      } catch {
        return false;
      }
    });
}
