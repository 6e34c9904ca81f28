// A cluster backed up, lost and restored: objects, revisions, kubeconfigs handed out and what serves; and who is refused.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { configMaps, pods } from "@gatehouse/apimachinery/types/core-v1";
import { startTestCluster, type TestCluster } from "./test-cluster.ts";

async function embeddedCluster(t: TestContext, ...args: string[]): Promise<TestCluster | undefined> {
  if (process.env.GATEHOUSE_TEST_CONTEXT) {
    t.skip("only embedded clusters are backed up");
    return undefined;
  }
  const cluster = await startTestCluster(...args);
  t.after(() => cluster.remove());
  return cluster;
}

async function succeeds(cluster: TestCluster, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.gatehouse(...args);
  assert.equal(code, 0, stderr + stdout);
  return stdout;
}

async function fails(cluster: TestCluster, message: RegExp, ...args: string[]): Promise<void> {
  const { code, stderr } = await cluster.gatehouse(...args);
  assert.equal(code, 1, stderr);
  assert.match(stderr, message);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
}

const configMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } });

test("a running cluster backed up, taken down and restored is what it was", async (t) => {
  const cluster = await embeddedCluster(t);
  if (!cluster) return;
  const file = join(cluster.home, "x.backup");
  const handedOut = { ...cluster.environment, KUBECONFIG: join(cluster.home, "handed-out") };
  copyFileSync(join(cluster.home, ".kube/config"), handedOut.KUBECONFIG);
  const connect = async () => createApiClient(await loadConnection(cluster.context, handedOut));
  const client = await connect();
  const kept = await client.create(configMaps, configMap("kept"));
  await succeeds(cluster, "backup", file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const lost = await client.create(configMaps, configMap("lost"));
  const before = await client.list(pods);
  client.close();
  await fails(cluster, /x\.backup is there: name another file, or replace it with --force/, "backup", file);
  await fails(cluster, /cluster "gatehouse" is running: end it with gatehouse stop first/, "restore", file, "--force");
  await succeeds(cluster, "down");

  await succeeds(cluster, "restore", file);
  assert.match(await succeeds(cluster, "start"), /http:\/\/whoami\.localhost/);
  assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
  const again = await connect();
  t.after(() => again.close());
  assert.deepEqual(await again.get(configMaps, "kept", "default"), kept);
  const list = await again.list(configMaps, { namespace: "default" });
  assert.ok(!list.items.some(({ metadata }) => metadata.name === "lost"));
  assert.ok(Number(list.metadata.resourceVersion) > Number(lost.metadata.resourceVersion));
  const resumed = again.watch(configMaps, { resourceVersion: lost.metadata.resourceVersion ?? "" });
  const { value: told } = await resumed.next();
  assert.equal(told?.type, "ERROR", "a watcher of what was lost has to list again");
  assert.equal((told?.object as { code?: number } | undefined)?.code, 410);
  await resumed.return(undefined);
  const after = await again.list(pods);
  assert.deepEqual(
    new Set(after.items.map(({ metadata }) => metadata.uid)),
    new Set(before.items.map(({ metadata }) => metadata.uid)),
  );
});

test("a stopped cluster is backed up, changed, and put back with --force; refusals change nothing", async (t) => {
  const cluster = await embeddedCluster(t, "--bare");
  if (!cluster) return;
  const file = join(cluster.home, "x.backup");
  await succeeds(cluster, "stop");
  await succeeds(cluster, "backup", file);
  await fails(cluster, /there is a cluster "gatehouse": replace it with --force/, "restore", file);
  await fails(cluster, /no such directory/, "backup", join(cluster.home, "nowhere/x.backup"));
  const other = join(cluster.home, "other");
  writeFileSync(other, "something else");
  await fails(cluster, /other is not a backup/, "restore", other, "--force");
  await fails(cluster, /there is no cluster "absent"/, "backup", other, "--name", "absent", "--force");

  const database = join(cluster.home, ".gatehouse/clusters/gatehouse/state.db");
  writeFileSync(database, "damaged ".repeat(1000));
  await fails(cluster, /state\.db is damaged \(.*restore a backup with gatehouse restore FILE --force/, "start");
  writeFileSync(database, "");
  await fails(cluster, /state\.db is gone: restore a backup/, "start");
  await succeeds(cluster, "restore", file, "--force");
  assert.ok(!existsSync(`${database}.restored`));
  await succeeds(cluster, "start");
});
