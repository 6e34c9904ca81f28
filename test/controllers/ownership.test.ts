// Garbage collection and namespaces over a real API server, with a custom kind among the owners.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { controllerReference, type KubeObject, type OwnerReference } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { daemonSets, deployments, replicaSets } from "@gatehouse/apimachinery/types/apps-v1";
import {
  type ConfigMap,
  configMaps,
  endpoints,
  namespaces,
  type Pod,
  pods,
  serviceAccounts,
  services,
} from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { clusterCA, deployment, startTestCluster, type TestCluster } from "./cluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.close());

const configMap = (name: string, owners: OwnerReference[] = [], namespace = "demo"): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, ownerReferences: owners },
  data: {},
});
const ownedBy = (owner: KubeObject, block = false): OwnerReference => ({
  ...controllerReference(owner),
  controller: false,
  blockOwnerDeletion: block,
});
const names = (objects: KubeObject[]): string[] =>
  objects
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== "kube-root-ca.crt")
    .sort();

const widgets: ResourceType = {
  group: "example.com",
  version: "v1",
  plural: "widgets",
  kind: "Widget",
  namespaced: true,
};
const definitions: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};

async function defineWidgets(): Promise<void> {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await cluster.client.create(definitions, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  });
}

test("deleting a Deployment removes its ReplicaSets and pods (background)", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  await until(pods, (all) => all.filter((pod) => pod.status?.phase === "Running").length === 2, "demo");
  await client.delete(deployments, "web", "demo", { propagationPolicy: "Background" });
  await until(pods, (all) => all.length === 0, "demo");
  await until(replicaSets, (all) => all.length === 0, "demo");
});

test("foreground deletion keeps the Deployment until its pods are gone", async () => {
  const { client, until } = cluster;
  const stop = cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  await until(pods, (all) => all.filter((pod) => pod.status?.phase === "Running").length === 2, "demo");
  stop();
  await client.delete(deployments, "web", "demo", { propagationPolicy: "Foreground" });
  const going = await until(pods, (all) => all.every((pod) => pod.metadata.deletionTimestamp), "demo");
  assert.ok((await client.get(deployments, "web", "demo")).metadata.deletionTimestamp);
  assert.equal((await client.list(replicaSets, { namespace: "demo" })).items.length, 1);
  for (const pod of going) await cluster.finishPod(pod);
  await until(deployments, (all) => all.length === 0, "demo");
  await until(replicaSets, (all) => all.length === 0, "demo");
});

test("orphaning leaves the ReplicaSet and its pods running, and a new Deployment adopts them", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  const before = await until(pods, (all) => all.filter((pod) => pod.status?.phase === "Running").length === 2, "demo");
  await client.delete(deployments, "web", "demo", { propagationPolicy: "Orphan" });
  await until(deployments, (all) => all.length === 0, "demo");
  const [orphan] = await until(replicaSets, ([only]) => (only?.metadata.ownerReferences ?? []).length === 0, "demo");
  assert.equal(orphan?.spec.replicas, 2);
  await client.create(deployments, deployment("web"));
  const [adopted] = await until(replicaSets, ([only]) => only?.metadata.ownerReferences?.length === 1, "demo");
  assert.equal(adopted?.metadata.uid, orphan?.metadata.uid);
  assert.deepEqual(names((await client.list(pods, { namespace: "demo" })).items), names(before));
});

test("an object goes with its last owner only, and loses the references to the others", async () => {
  const { client, until } = cluster;
  const first = await client.create(configMaps, configMap("first"));
  const second = await client.create(configMaps, configMap("second"));
  await client.create(configMaps, configMap("both", [ownedBy(first), ownedBy(second)]));
  await client.delete(configMaps, "first", "demo");
  const all = await until(
    configMaps,
    (found) => found.some(({ metadata }) => metadata.name === "both" && metadata.ownerReferences?.length === 1),
    "demo",
  );
  assert.equal(all.find(({ metadata }) => metadata.name === "both")?.metadata.ownerReferences?.[0]?.name, "second");
  await client.delete(configMaps, "second", "demo");
  await until(configMaps, (found) => names(found).length === 0, "demo");
});

test("an owner that never was, or is another namespace's, is no owner; an unknown kind is left alone", async () => {
  const { client, until } = cluster;
  const elsewhere = await client.create(configMaps, configMap("elsewhere", [], "default"));
  const stranger = { apiVersion: "unknown.example/v1", kind: "Mystery", name: "x", uid: "u-2" };
  await client.create(configMaps, configMap("of-unknown-kind", [stranger]));
  await client.create(
    configMaps,
    configMap("of-nobody", [{ apiVersion: "v1", kind: "ConfigMap", name: "nobody", uid: "u-1" }]),
  );
  await client.create(configMaps, configMap("of-elsewhere", [ownedBy(elsewhere)]));
  await until(configMaps, (found) => names(found).join() === "of-unknown-kind", "demo");
});

test("kinds that come later are collected too, as owners and as owned", async () => {
  const { client, until } = cluster;
  await defineWidgets();
  // Served a moment after its definition is accepted.
  await until(definitions, (all) => all.some((one) => JSON.stringify(one).includes('"Established"')));
  const owner = await client.create(configMaps, configMap("owner"));
  const widget = await client.create(widgets, {
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name: "one", namespace: "demo", ownerReferences: [ownedBy(owner)] },
  });
  await client.create(configMaps, configMap("of-widget", [ownedBy(widget)]));
  await client.delete(configMaps, "owner", "demo");
  await until(configMaps, (all) => names(all).length === 0, "demo");
  await until(widgets, (all) => all.length === 0, "demo");
});

test("a namespace is emptied, custom kinds and all, and then gone", async () => {
  const { client, until } = cluster;
  await defineWidgets();
  await until(definitions, (all) => all.some((one) => JSON.stringify(one).includes('"Established"')));
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  await client.create(widgets, {
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name: "one", namespace: "demo" },
  });
  await client.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "demo" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await until(pods, (all) => all.filter((pod) => pod.status?.phase === "Running").length === 2, "demo");
  await client.delete(namespaces, "demo");
  await until(namespaces, (all) => all.every(({ metadata }) => metadata.name !== "demo"));
  for (const type of [pods, widgets, services, deployments, daemonSets, endpointSlices, configMaps] as ResourceType[]) {
    assert.deepEqual((await client.list(type, { namespace: "demo" })).items, [], type.kind);
  }
});

test("a namespace that something holds says what, and goes when it is let go", async () => {
  const { client, until } = cluster;
  const held = configMap("held");
  held.metadata.finalizers = ["example.com/hold"];
  await client.create(configMaps, held);
  await client.delete(namespaces, "demo");
  const all = await until(namespaces, (found) =>
    found.some(({ status }) => status?.conditions?.some(({ type }) => type === "NamespaceFinalizersRemaining")),
  );
  const { status } = all.find(({ metadata }) => metadata.name === "demo") ?? {};
  const messages = status?.conditions?.map(({ message }) => message) ?? [];
  assert.ok(messages.includes("Some resources are remaining: configmaps has 1 resource instances"), messages.join());
  assert.ok(
    messages.includes(
      "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
    ),
  );
  await client.patch(configMaps, { name: "held", namespace: "demo" }, "merge", { metadata: { finalizers: null } });
  await until(namespaces, (found) => found.every(({ metadata }) => metadata.name !== "demo"));
});

test("every namespace has its ServiceAccount and CA, restored when deleted or changed", async () => {
  const { client, until } = cluster;
  const [found] = await until(configMaps, (all) => all.length === 1, "demo");
  assert.equal(found?.data?.["ca.crt"], clusterCA);
  const [account] = await until(serviceAccounts, (all) => all.length === 1, "demo");
  await client.delete(serviceAccounts, "default", "demo");
  await until(serviceAccounts, ([only]) => only !== undefined && only.metadata.uid !== account?.metadata.uid, "demo");
  await client.patch(configMaps, { name: "kube-root-ca.crt", namespace: "demo" }, "merge", {
    data: { "ca.crt": "wrong" },
  });
  await until(
    configMaps,
    ([only]) =>
      only?.data?.["ca.crt"] === clusterCA && only.metadata.resourceVersion !== found?.metadata.resourceVersion,
    "demo",
  );
});

test("a settled cluster makes no writes, and a restart of the controllers changes nothing", async () => {
  const { client, until, writes } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  await client.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "demo" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await client.create(daemonSets, {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "demo" },
    spec: { selector: { matchLabels: { app: "agent" } }, template: { ...deployment("agent").spec.template } },
  });
  await until(
    deployments,
    ([only]) => only?.status?.conditions?.some(({ reason }) => reason === "NewReplicaSetAvailable") === true,
    "demo",
  );
  await until(daemonSets, ([only]) => only?.status?.numberAvailable === 1, "demo");
  await until(
    endpointSlices,
    (all) => all.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions?.ready).length === 2,
    "demo",
  );
  await until(endpoints, (all) => all.some(({ subsets }) => subsets?.[0]?.addresses?.length === 2), "demo");
  await cluster.stopControllers();
  assert.deepEqual(
    writes.filter((write) => write.startsWith("delete")),
    [],
  );
  const settled = writes.length;
  await cluster.startControllers();
  // A write asked for after everything listed at start was looked at: when it is answered, all keys have been reconciled.
  await client.create(deployments, deployment("probe", { replicas: 1 }));
  await until(
    pods,
    (all) => all.some((pod: Pod) => pod.metadata.labels?.["app"] === "probe" && pod.status?.phase === "Running"),
    "demo",
  );
  await until(
    deployments,
    (all) =>
      all.every(
        ({ status }) => status?.availableReplicas === status?.replicas && status?.observedGeneration !== undefined,
      ),
    "demo",
  );
  // The garbage collector has looked at everything by the time it removes this.
  await client.create(
    configMaps,
    configMap("probe", [{ apiVersion: "v1", kind: "ConfigMap", name: "nobody", uid: "u" }]),
  );
  await until(configMaps, (all) => names(all).length === 0, "demo");
  await cluster.stopControllers();
  const others = writes.slice(settled).filter((write) => !write.includes("probe"));
  assert.deepEqual(others, []);
});
