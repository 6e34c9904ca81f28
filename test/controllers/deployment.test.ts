// Deployments over a real API server: creation, rolling update, undo, recreate, scaling, pause, history.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deployments, replicaSets } from "@gatehouse/apimachinery/types/apps-v1";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { deployment, startTestCluster, type TestCluster } from "./cluster.ts";

let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster();
});
after(() => cluster.close());

test("a Deployment brings up its pods on the node and becomes available", async () => {
  const { client, until } = cluster;
  const began = performance.now();
  await client.create(deployments, deployment("web"));
  const bound = await until(pods, (all) => all.filter((pod) => pod.spec.nodeName === "node").length === 2, "demo");
  console.log("bound after", performance.now() - began);
  await Promise.all(bound.map((pod) => cluster.setReady(pod)));
  const [web] = await until(deployments, ([only]) => only?.status?.availableReplicas === 2 && only.status.conditions?.some(c => c.reason === "NewReplicaSetAvailable") === true, "demo");
  console.log(JSON.stringify(web, null, 1), await client.list(replicaSets), cluster.writes);
  assert.equal(web?.status?.readyReplicas, 2);
});
