// A stopped or crashed cluster comes back as it was, and whoever brought it back can use it at once.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type RunResult, startTestCluster, type TestCluster } from "./test-cluster.ts";

async function embeddedCluster(t: TestContext): Promise<TestCluster | undefined> {
  if (process.env.GATEHOUSE_TEST_CONTEXT) {
    t.skip("only the embedded cluster is stopped and started");
    return undefined;
  }
  const cluster = await startTestCluster();
  t.after(() => cluster.remove());
  return cluster;
}

for (const command of ["up", "start"]) {
  test(`gatehouse ${command} of a stopped or killed cluster returns when it serves, on the same ports`, async (t) => {
    const cluster = await embeddedCluster(t);
    if (!cluster) return;
    const runtime = join(cluster.home, ".gatehouse/clusters/gatehouse/runtime.json");
    const ways = [
      () => cluster.gatehouse("stop"),
      async () => process.kill((JSON.parse(readFileSync(runtime, "utf8")) as { pid: number }).pid, "SIGKILL"),
    ];
    for (const end of ways) {
      await end();
      const again = await cluster.gatehouse(command);
      assert.equal(again.code, 0, again.stderr);
      assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
      assert.match(again.stdout, new RegExp(`http://whoami\\.localhost:${cluster.entry.port}$`, "m"));
    }
  });
}

test("what was broken before the stop is said after the start, and not waited for", async (t) => {
  const cluster = await embeddedCluster(t);
  if (!cluster) return;
  const deleted = await cluster.gatehouse("delete", "gateway", "traefik-gateway", "-n", "traefik");
  assert.equal(deleted.code, 0, deleted.stderr);
  await cluster.gatehouse("stop");
  const started = await cluster.gatehouse("start");
  assert.equal(started.code, 0, started.stderr);
  const waited = /still not ready: .*there is no Gateway "traefik-gateway" in namespace "traefik".* \(\d+ (ms|s)\)$/m;
  // In milliseconds, not for the time that a pod is given to come back.
  assert.equal(waited.exec(started.stdout)?.[1], "ms", started.stdout);
});

test("a port taken while the cluster was stopped: the next free one is used, and said", async (t) => {
  const cluster = await embeddedCluster(t);
  if (!cluster) return;
  await cluster.gatehouse("stop");
  const { port } = cluster.entry;
  const other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen({ host: "127.0.0.1", port }, resolve));
  t.after(() => other.close());

  const started = await cluster.gatehouse("start");
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stdout, new RegExp(`port ${port} is held by .* \\(pid ${process.pid}\\); using \\d+ instead`));
  cluster.entry.port = portOf(started);
  assert.notEqual(cluster.entry.port, port);
  assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
  await cluster.gatehouse("stop");

  const refused = await cluster.gatehouse("up", "--http-port", String(port));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, new RegExp(`^error: port ${port} is held by .*--http-port PORT`, "m"));
});

test("gatehouse up of a stopped cluster takes the port that is asked for now", async (t) => {
  const cluster = await embeddedCluster(t);
  if (!cluster) return;
  await cluster.gatehouse("stop");
  const { port } = await freePort();
  const up = await cluster.gatehouse("up", "--http-port", String(port));
  assert.equal(up.code, 0, up.stderr);
  assert.equal(portOf(up), port);
  cluster.entry.port = port;
  assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
});

const portOf = ({ stdout }: RunResult): number => Number(/http:\/\/whoami\.localhost:(\d+)/.exec(stdout)?.[1]);

function freePort(): Promise<{ port: number }> {
  return new Promise((resolve) => {
    const server = createServer().listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve({ port: typeof address === "object" && address ? address.port : 0 }));
    });
  });
}

test("addresses taken by another cluster while this one was stopped: it gets others, and serves", async (t) => {
  const cluster = await embeddedCluster(t);
  if (!cluster) return;
  await cluster.gatehouse("stop");
  const other = await startTestCluster();
  t.after(() => other.remove());
  const started = await cluster.gatehouse("start");
  assert.equal(started.code, 0, started.stderr + started.stdout);
  assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
  assert.equal((await other.get("http://whoami.localhost/")).status, 200);
  assert.equal((await cluster.gatehouse("status")).code, 0);
});
