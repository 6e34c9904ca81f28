// DaemonSets over a real API server: one pod per node that takes it, updates, history.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { controllerRevisions, type DaemonSet, daemonSets } from "@gatehouse/apimachinery/types/apps-v1";
import { nodes, type Pod, pods, type PodTemplateSpec } from "@gatehouse/apimachinery/types/core-v1";
import { labelsOf, podTemplate, readyNode, startTestCluster, type TestCluster, sorted } from "./cluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.close());

const hashLabel = "controller-revision-hash";

function daemonSet(
  updateStrategy: DaemonSet["spec"]["updateStrategy"],
  template: PodTemplateSpec = podTemplate("agent"),
): DaemonSet {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "demo" },
    spec: { selector: { matchLabels: labelsOf("agent") }, template, ...(updateStrategy ? { updateStrategy } : {}) },
  };
}

const withHostPort = (image: string): PodTemplateSpec => {
  const template = podTemplate("agent", image);
  template.spec.containers[0]!.ports = [{ name: "web", containerPort: 8000, hostPort: 80 }];
  return template;
};

const patchTemplate = (template: PodTemplateSpec): Promise<DaemonSet> =>
  cluster.client.patch(daemonSets, { name: "agent", namespace: "demo" }, "merge", { spec: { template } });

async function rolledOut(): Promise<DaemonSet> {
  const holds = ({ metadata, status }: DaemonSet): boolean =>
    status?.observedGeneration === metadata.generation &&
    status?.desiredNumberScheduled === status?.updatedNumberScheduled &&
    status?.desiredNumberScheduled === status?.numberAvailable;
  const [found] = await cluster.until(daemonSets, ([only]) => only !== undefined && holds(only), "demo");
  return found as DaemonSet;
}

const imageOf = (pod: Pod | undefined): string | undefined => pod?.spec.containers[0]?.image;

test("every node gets one pod, also a node that joins; a cordoned one keeps and gets it", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(daemonSets, daemonSet(undefined));
  await rolledOut();
  const second = readyNode("second");
  await client.create(nodes, { ...second, spec: { unschedulable: true } });
  await client.updateStatus(nodes, { ...(await client.get(nodes, "second")), status: second.status ?? {} });
  const two = await until(pods, (all) => all.filter((pod) => pod.spec.nodeName).length === 2, "demo");
  assert.deepEqual(sorted(two.map((pod) => pod.spec.nodeName)), ["node", "second"]);
  const [status] = await until(daemonSets, ([only]) => only?.status?.numberAvailable === 2, "demo");
  assert.equal(status?.status?.desiredNumberScheduled, 2);
});

test("a node that the pod's selector or an untolerated taint excludes gets none", async () => {
  const { client, until } = cluster;
  const template = podTemplate("agent");
  template.spec.nodeSelector = { disk: "ssd" };
  await client.create(daemonSets, daemonSet(undefined, template));
  await until(daemonSets, ([only]) => only?.status?.observedGeneration === 1, "demo");
  assert.equal((await client.list(pods, { namespace: "demo" })).items.length, 0);

  await client.patch(nodes, { name: "node" }, "merge", { metadata: { labels: { disk: "ssd" } } });
  await until(pods, (all) => all.length === 1, "demo");
  const taints = [{ key: "gpu", effect: "NoExecute" }];
  await client.patch(nodes, { name: "node" }, "merge", { spec: { taints } });
  await until(pods, (all) => all.every((pod) => pod.metadata.deletionTimestamp), "demo");
});

test("a rolling update with a host port ends the old pod before the new one is made", async () => {
  const { client, until } = cluster;
  const stop = cluster.actAsKubelet();
  await client.create(daemonSets, daemonSet({ type: "RollingUpdate" }, withHostPort("v1")));
  await rolledOut();
  stop();
  await patchTemplate(withHostPort("v2"));
  const [old] = await until(pods, ([only]) => Boolean(only?.metadata.deletionTimestamp), "demo");
  assert.equal(imageOf(old), "v1");
  assert.equal((await client.list(pods, { namespace: "demo" })).items.length, 1);
  await cluster.finishPod(old as Pod);
  cluster.actAsKubelet();
  const agent = await rolledOut();
  assert.equal(agent.status?.updatedNumberScheduled, 1);
  const [next] = (await client.list(pods, { namespace: "demo" })).items;
  assert.equal(imageOf(next), "v2");
});

test("with surge the old pod stays until the new one is available", async () => {
  const { client, until } = cluster;
  const stop = cluster.actAsKubelet();
  const strategy = { type: "RollingUpdate" as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  await client.create(daemonSets, daemonSet(strategy, podTemplate("agent", "v1")));
  await rolledOut();
  stop();
  await patchTemplate(podTemplate("agent", "v2"));
  const both = await until(pods, (all) => all.length === 2 && all.every((pod) => pod.spec.nodeName), "demo");
  assert.ok(both.every((pod) => !pod.metadata.deletionTimestamp));
  await cluster.setReady(both.find((pod) => imageOf(pod) === "v2") as Pod);
  const gone = await until(pods, (all) => all.some((pod) => pod.metadata.deletionTimestamp), "demo");
  assert.deepEqual(gone.filter((pod) => pod.metadata.deletionTimestamp).map(imageOf), ["v1"]);
});

test("OnDelete replaces only what someone deletes", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(daemonSets, daemonSet({ type: "OnDelete" }, podTemplate("agent", "v1")));
  await rolledOut();
  await patchTemplate(podTemplate("agent", "v2"));
  await until(
    daemonSets,
    ([only]) => only?.status?.observedGeneration === 2 && only.status.updatedNumberScheduled === 0,
    "demo",
  );
  const [old] = (await client.list(pods, { namespace: "demo" })).items;
  assert.equal(imageOf(old), "v1");
  await client.delete(pods, old?.metadata.name ?? "", "demo");
  await until(pods, ([only]) => imageOf(only) === "v2", "demo");
});

test("history is kept as ControllerRevisions, reused on undo and trimmed to the limit", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  const first = daemonSet({ type: "RollingUpdate" }, podTemplate("agent", "v1"));
  await client.create(daemonSets, { ...first, spec: { ...first.spec, revisionHistoryLimit: 1 } });
  await rolledOut();
  await patchTemplate(podTemplate("agent", "v2"));
  await rolledOut();
  await patchTemplate(podTemplate("agent", "v1"));
  await rolledOut();
  const two = await until(controllerRevisions, (all) => all.length === 2, "demo");
  assert.deepEqual(sorted(two.map(({ revision }) => revision)), [2, 3]);
  const latest = two.find(({ revision }) => revision === 3);
  const [pod] = (await client.list(pods, { namespace: "demo" })).items;
  assert.equal(pod?.metadata.labels?.[hashLabel], latest?.metadata.labels?.[hashLabel]);
  const data = latest?.data as { spec: { template: { $patch: string; spec: { containers: { image: string }[] } } } };
  assert.equal(data.spec.template.$patch, "replace");
  assert.equal(data.spec.template.spec.containers[0]?.image, "v1");

  await patchTemplate(podTemplate("agent", "v3"));
  await rolledOut();
  const trimmed = await until(
    controllerRevisions,
    (all) => all.length === 2 && all.every(({ revision }) => revision >= 3),
    "demo",
  );
  assert.deepEqual(sorted(trimmed.map(({ revision }) => revision)), [3, 4]);
});

test("a failed daemon pod is replaced", async () => {
  const { client, until } = cluster;
  await client.create(daemonSets, daemonSet(undefined));
  const [failed] = await until(pods, ([only]) => only?.spec.nodeName !== undefined, "demo");
  const target = { name: failed?.metadata.name ?? "", namespace: "demo", subresource: "status" };
  await client.patch(pods, target, "merge", { status: { phase: "Failed", reason: "Evicted" } });
  await until(pods, ([only]) => only !== undefined && only.metadata.uid !== failed?.metadata.uid, "demo");
});
