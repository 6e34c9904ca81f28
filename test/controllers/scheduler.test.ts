// The scheduler over a real API server.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { events, nodes, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { podTemplate, startTestCluster, type TestCluster } from "./cluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.close());

const pod = (name: string, spec: Partial<Pod["spec"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "demo" },
  spec: { ...podTemplate(name).spec, ...spec },
});

const withHostPort = (name: string): Pod =>
  pod(name, { containers: [{ name: "main", image: "traefik", ports: [{ containerPort: 8000, hostPort: 80 }] }] });

const bound =
  (name: string) =>
  (all: Pod[]): boolean =>
    all.some((one) => one.metadata.name === name && one.spec.nodeName === "node");
const reasonOf = (one: Pod | undefined) => one?.status?.conditions?.find(({ type }) => type === "PodScheduled");

async function refused(name: string): Promise<Pod> {
  const all = await cluster.until(
    pods,
    (found) => found.some((one) => one.metadata.name === name && reasonOf(one)?.status === "False"),
    "demo",
  );
  return all.find((one) => one.metadata.name === name) as Pod;
}

test("a pod is bound to the node, and an Event says so", async () => {
  const { client, until } = cluster;
  await client.create(pods, pod("web"));
  await until(pods, bound("web"), "demo");
  const [scheduled] = await until(events, (all) => all.some(({ reason }) => reason === "Scheduled"), "demo");
  assert.equal(scheduled?.message, "Successfully assigned demo/web to node");
  assert.equal(scheduled?.source?.component, "default-scheduler");
});

test("two pods for one host port: the second waits, with the reason, until the first is gone", async () => {
  const { client, until } = cluster;
  await Promise.all([client.create(pods, withHostPort("first")), client.create(pods, withHostPort("second"))]);
  const all = await until(
    pods,
    (found) => found.some((one) => one.spec.nodeName) && found.some((one) => reasonOf(one)?.status === "False"),
    "demo",
  );
  const waiting = all.find((one) => !one.spec.nodeName);
  const running = all.find((one) => one.spec.nodeName);
  const message = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";
  assert.deepEqual([reasonOf(waiting)?.reason, reasonOf(waiting)?.message], ["Unschedulable", message]);
  await until(
    events,
    (found) => found.some((event) => event.reason === "FailedScheduling" && event.message === message),
    "demo",
  );
  await client.delete(pods, running?.metadata.name ?? "", "demo", { gracePeriodSeconds: 0 });
  await until(pods, bound(waiting?.metadata.name ?? ""), "demo");
});

test("a node that is cordoned, or lacks the selected label, takes nothing until that changes", async () => {
  const { client, until } = cluster;
  await client.patch(nodes, { name: "node" }, "merge", { spec: { unschedulable: true } });
  await client.create(pods, pod("web", { nodeSelector: { disk: "ssd" } }));
  assert.match(reasonOf(await refused("web"))?.message ?? "", /1 node\(s\) were unschedulable/);
  await client.patch(nodes, { name: "node" }, "merge", { spec: { unschedulable: null } });
  await until(
    pods,
    ([only]) => /didn't match Pod's node affinity\/selector/.test(reasonOf(only)?.message ?? ""),
    "demo",
  );
  await client.patch(nodes, { name: "node" }, "merge", { metadata: { labels: { disk: "ssd" } } });
  await until(pods, bound("web"), "demo");
});

test("another scheduler's pods are left to it", async () => {
  const { client, until } = cluster;
  await client.create(pods, pod("theirs", { schedulerName: "custom" }));
  await client.create(pods, pod("ours"));
  const all = await until(pods, bound("ours"), "demo");
  assert.equal(all.find(({ metadata }) => metadata.name === "theirs")?.spec.nodeName, undefined);
});
