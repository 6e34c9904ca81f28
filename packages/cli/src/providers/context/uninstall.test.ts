import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { configMaps, namespaces, secrets, services } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer, type TestServer } from "@gatehouse/apiserver/testing";
import { installedMark } from "../../installed-mark.ts";
import { applyAll } from "../../steps/apply-all.ts";
import { loadApplications } from "../../steps/demo-manifests.ts";
import { wellKnownType } from "../../well-known-types.ts";
import { loadBalancer } from "./load-balancer.ts";
import { deleteDemo, deleteNamespaces } from "./uninstall.ts";

const demo: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } };
const service = (name: string, namespace = "demo", labels = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, labels },
  spec: { ports: [{ port: 80 }] },
});
const namesOf = async (client: ApiClient, namespace: string): Promise<string[]> =>
  (await client.list(services, { namespace })).items.map(({ metadata }) => metadata.name);

/** Somebody who may do these things in every namespace. */
async function userWith(cluster: TestServer, rules: object[]): Promise<ApiClient> {
  const admin = await cluster.client();
  const metadata = { name: "some-rights" };
  const rbac = "rbac.authorization.k8s.io/v1";
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: metadata.name };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "user" }];
  for (const object of [
    { apiVersion: rbac, kind: "ClusterRole", metadata, rules },
    { apiVersion: rbac, kind: "ClusterRoleBinding", metadata, roleRef, subjects },
  ]) {
    const type = wellKnownType(object.apiVersion, object.kind);
    assert.ok(type);
    await admin.create(type, object);
  }
  return cluster.client({ user: "user", groups: ["system:authenticated"] });
}

test("the demo goes by name and label; what others put beside it, or copied elsewhere, stays", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  assert.equal(await deleteDemo(client), 0, "nothing is there yet");
  await applyAll(client, [{ ...demo, metadata: { name: "traefik" } }, ...(await loadApplications()), loadBalancer]);
  await client.create(services, service("theirs"));
  await client.create(services, service("copied", "default", installedMark));
  assert.equal(await deleteDemo(client), 5);
  assert.deepEqual(await namesOf(client, "demo"), ["theirs"]);
  assert.ok((await namesOf(client, "default")).includes("copied"));
});

test("what has the demo's name without the label is somebody else's", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await client.create(namespaces, demo);
  await client.create(services, service("whoami-v1"));
  assert.equal(await deleteDemo(client), 0);
  assert.deepEqual(await namesOf(client, "demo"), ["whoami-v1"]);
});

test("a namespace in which others put something stays, and says what", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await applyAll(client, [demo]);
  const bundle = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kube-root-ca.crt", namespace: "demo" } };
  await client.create(configMaps, bundle);
  const node = { apiVersion: "v1", kind: "Node", name: "n", uid: "1" };
  const ofNode = service("of-a-node");
  await client.create(services, { ...ofNode, metadata: { ...ofNode.metadata, ownerReferences: [node] } });
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "whoami-v1", uid: "2" };
  const ofDemo = service("of-the-demo");
  await client.create(services, { ...ofDemo, metadata: { ...ofDemo.metadata, ownerReferences: [owner] } });
  assert.deepEqual(await deleteNamespaces(client), { deleted: [], kept: ["demo (Service/of-a-node)"] });
  assert.equal((await client.get(namespaces, "demo")).metadata.deletionTimestamp, undefined);
});

test("what this user may not list may be somebody's: the namespace stays", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const admin = await cluster.client();
  await applyAll(admin, [demo]);
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "theirs", namespace: "demo" } };
  await admin.create(secrets, secret);
  const everythingElse = [
    { apiGroups: [""], resources: ["namespaces", "services", "configmaps", "pods"], verbs: ["*"] },
    { apiGroups: ["apps", "networking.k8s.io", "rbac.authorization.k8s.io"], resources: ["*"], verbs: ["*"] },
  ];
  const { deleted, kept } = await deleteNamespaces(await userWith(cluster, everythingElse));
  assert.deepEqual(deleted, []);
  assert.match(kept.join(), /^demo \(.*that could not be listed: Forbidden/);
  assert.equal((await admin.get(namespaces, "demo")).metadata.deletionTimestamp, undefined);
});

test("what this user may not see is no sign that it is gone", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  await applyAll(await cluster.client(), await loadApplications());
  const nobody = await cluster.client({ user: "nobody", groups: ["system:authenticated"] });
  await assert.rejects(deleteDemo(nobody), (error) => hasReason(error, "Forbidden"));
});

test("namespaces that were there before are nobody's to delete", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await client.create(namespaces, demo);
  await applyAll(client, [demo]);
  assert.deepEqual(await deleteNamespaces(client), { deleted: [], kept: [] });
});
