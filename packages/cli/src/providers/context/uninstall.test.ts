import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { configMaps, namespaces, services } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { applyAll } from "../../steps/apply-all.ts";
import { loadApplications } from "../../steps/demo-manifests.ts";
import { deleteDemo, deleteNamespaces } from "./uninstall.ts";

const service = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "demo" },
  spec: { ports: [{ port: 80 }] },
});

test("only what is marked goes; a cluster without the demo has nothing to delete", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  assert.equal(await deleteDemo(client), 0);
  const applications = (await loadApplications()).filter(({ kind }) => kind !== "Deployment");
  await applyAll(client, applications);
  await client.create(services, service("theirs") as never);
  assert.equal(await deleteDemo(client), 2);
  assert.deepEqual(
    (await client.list(services, { namespace: "demo" })).items.map(({ metadata }) => metadata.name),
    ["theirs"],
  );
});

test("a namespace in which others put something stays, and says what", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await applyAll(client, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } }]);
  await client.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kube-root-ca.crt", namespace: "demo" },
  });
  await client.create(services, service("theirs") as never);
  assert.deepEqual(await deleteNamespaces(client), { deleted: [], kept: ["demo (Service/theirs)"] });
  assert.equal((await client.get(namespaces, "demo")).metadata.deletionTimestamp, undefined);
});

test("namespaces that were there before are nobody's to delete", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  const demo = { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } };
  await client.create(namespaces, demo);
  await applyAll(client, [demo]);
  assert.deepEqual(await deleteNamespaces(client), { deleted: [], kept: [] });
});
