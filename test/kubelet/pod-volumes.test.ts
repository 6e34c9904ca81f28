// What a pod is given: volumes, environment, a token, a kubeconfig; and the log API.

import assert from "node:assert/strict";
import { existsSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createApiClient, text } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import {
  type ConfigMap,
  configMaps,
  events,
  type Pod,
  pods,
  secrets,
  serviceAccounts,
} from "@gatehouse/apimachinery/types/core-v1";
import {
  type Cluster,
  createServiceAccount,
  httpGet,
  isReady,
  nodeName,
  startCluster,
  testNamespace,
} from "./harness.ts";

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster.close());

const metadata = (name: string) => ({ name, namespace: testNamespace });
const whoami = { name: "main", image: "traefik/whoami" };
const waiting = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0]?.state?.waiting;

/** The environment of a ready whoami pod, as it tells it itself. */
async function environmentOf(name: string): Promise<Record<string, string>> {
  const pod = await cluster.until(pods, name, isReady);
  const answer = JSON.parse(await httpGet(pod?.status?.podIP ?? "", 80, "/api?env=true")) as {
    environ: Record<string, string>;
  };
  return answer.environ;
}

async function nextEvent(name: string, reason: string): Promise<string> {
  const options = { namespace: testNamespace, sendInitialEvents: true, timeoutSeconds: 5 };
  for await (const { object } of cluster.client.watch(events, options)) {
    if (object.involvedObject?.name === name && object.reason === reason) return object.message ?? "";
  }
  return "";
}

test("a pod waits for its Secret and starts as soon as that appears", async () => {
  await cluster.createPod("waits", {
    volumes: [{ name: "certs", secret: { secretName: "certs" } }],
    containers: [{ ...whoami, volumeMounts: [{ name: "certs", mountPath: "/etc/certs" }] }],
  });
  assert.match(
    await nextEvent("waits", "FailedMount"),
    /^MountVolume\.SetUp failed for volume "certs" : secret "certs" not found$/,
  );
  const before = await cluster.until(pods, "waits", (pod) => waiting(pod)?.reason === "ContainerCreating");
  assert.equal(before?.status?.phase, "Pending");
  await cluster.client.create(secrets, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata("certs"),
    data: { "tls.key": "a2V5" },
  });
  const created = Date.now();
  const mounts = JSON.parse((await environmentOf("waits")).GATEHOUSE_MOUNTS ?? "{}") as Record<string, string>;
  assert.ok(Date.now() - created < 1_500);
  assert.equal(readFileSync(join(mounts["/etc/certs"] ?? "", "tls.key"), "utf8"), "key");
});

test("a container is told what it may write to: not its token, even if its termination message is to be there", async () => {
  const volumes = [{ name: "own", emptyDir: {} }];
  const token = "/var/run/secrets/kubernetes.io/serviceaccount";
  const volumeMounts = [{ name: "own", mountPath: "/own" }];
  await cluster.createPod("writes", { volumes, containers: [{ ...whoami, volumeMounts }] });
  await cluster.createPod("overwrites", { containers: [{ ...whoami, terminationMessagePath: token }] });
  const [writes, overwrites] = [await environmentOf("writes"), await environmentOf("overwrites")];
  assert.deepEqual(JSON.parse(writes.GATEHOUSE_WRITABLE_MOUNTS ?? ""), ["/own", "/dev/termination-log"]);
  assert.match((JSON.parse(overwrites.GATEHOUSE_MOUNTS ?? "") as Record<string, string>)[token] ?? "", /api-access$/);
  assert.deepEqual(JSON.parse(overwrites.GATEHOUSE_WRITABLE_MOUNTS ?? ""), []);
});

test("a missing key keeps the container in CreateContainerConfigError until it is there", async () => {
  const configMap = (data: Record<string, string>): ConfigMap => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata("settings"),
    data,
  });
  await cluster.client.create(configMaps, configMap({ other: "1" }));
  await cluster.createPod("config-error", {
    containers: [
      { ...whoami, env: [{ name: "WHOAMI_NAME", valueFrom: { configMapKeyRef: { name: "settings", key: "name" } } }] },
    ],
  });
  const stuck = await cluster.until(
    pods,
    "config-error",
    (pod) => waiting(pod)?.reason === "CreateContainerConfigError",
  );
  assert.equal(waiting(stuck)?.message, "couldn't find key name in configmap demo/settings");
  await cluster.client.update(configMaps, configMap({ name: "settled" }));
  const pod = await cluster.until(pods, "config-error", isReady);
  assert.match(await httpGet(pod?.status?.podIP ?? "", 80), /^Name: settled\n/);
});

test("mounted ConfigMaps follow their objects", async () => {
  await cluster.client.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata("live"),
    data: { key: "1" },
  });
  await cluster.createPod("live", {
    volumes: [{ name: "live", configMap: { name: "live" } }],
    containers: [{ ...whoami, volumeMounts: [{ name: "live", mountPath: "/live" }] }],
  });
  const mounts = JSON.parse((await environmentOf("live")).GATEHOUSE_MOUNTS ?? "{}") as Record<string, string>;
  const directory = mounts["/live"] ?? "";
  assert.equal(readFileSync(join(directory, "key"), "utf8"), "1");
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(directory, () => {
    if (readFileSync(join(directory, "key"), "utf8") === "2") resolve();
  });
  await cluster.client.patch(configMaps, metadata("live"), "merge", { data: { key: "2" } });
  await promise;
  watcher.close();
});

test("downward API files follow the pod's labels", async () => {
  const items = [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }];
  const pod = await cluster.createPod(
    "labelled",
    { volumes: [{ name: "me", downwardAPI: { items } }], containers: [whoami] },
    { labels: { a: "1" } },
  );
  await cluster.until(pods, "labelled", isReady);
  const directory = join(cluster.directory, "pods", pod.metadata.uid ?? "", "volumes/me");
  assert.equal(readFileSync(join(directory, "labels"), "utf8"), 'a="1"\n');
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(directory, () => {
    if (readFileSync(join(directory, "labels"), "utf8") === 'a="2"\n') resolve();
  });
  await cluster.client.patch(pods, metadata("labelled"), "merge", { metadata: { labels: { a: "2" } } });
  await promise;
  watcher.close();
});

test("a hostPath is refused by name", async () => {
  await cluster.createPod("host-path", { volumes: [{ name: "h", hostPath: { path: "/etc" } }], containers: [whoami] });
  assert.match(await nextEvent("host-path", "FailedMount"), /hostPath volumes are not supported/);
  const pod = await cluster.client.get(pods, "host-path", testNamespace);
  assert.equal(isReady(pod), false);
});

test("a pod gets the contract's environment, its token and a kubeconfig, and nothing of the host's", async () => {
  process.env.HOST_SECRET = "x";
  const pod = await cluster.createPod("environment", {
    containers: [{ ...whoami, env: [{ name: "A", value: "$(HOSTNAME)!" }] }],
  });
  const environment = await environmentOf("environment");
  assert.equal(environment.A, "environment!");
  assert.equal(environment.HOSTNAME, "environment");
  assert.equal(environment.GATEHOUSE_GATEWAY_CIDR, `127.${cluster.kubelet.subnet}.224.0/19`);
  const allowed = /^(A|PATH|HOME|HOSTNAME|KUBECONFIG|NODE_COMPILE_CACHE|GATEHOUSE_\w+)$/;
  assert.deepEqual(
    Object.keys(environment).filter((name) => !allowed.test(name)),
    [],
  );
  const connection = await loadConnection(undefined, environment);
  assert.equal(connection.server, cluster.api.url);
  assert.equal(connection.namespace, testNamespace);
  assert.ok(connection.certificateAuthority?.toString().startsWith("-----BEGIN CERTIFICATE-----"));
  // The API server knows the pod's ServiceAccount by this connection, and lets it do nothing yet.
  const client = await createApiClient(connection);
  const refused = /"system:serviceaccount:demo:default" cannot list resource "pods"/;
  await assert.rejects(client.list(pods, { namespace: testNamespace }), refused);
  client.close();
  const token = typeof connection.token === "function" ? connection.token() : "";
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
    "kubernetes.io": { pod: { uid: string } };
  };
  assert.equal(claims["kubernetes.io"].pod.uid, pod.metadata.uid);
});

test("no token where the pod or its ServiceAccount says so; the pod's word counts", async () => {
  await createServiceAccount(cluster.client, "quiet", { automountServiceAccountToken: false });
  await cluster.createPod("no-token-pod", { automountServiceAccountToken: false, containers: [whoami] });
  await cluster.createPod("no-token-account", { serviceAccountName: "quiet", containers: [whoami] });
  await cluster.createPod("token-anyway", {
    serviceAccountName: "quiet",
    automountServiceAccountToken: true,
    containers: [whoami],
  });
  assert.equal((await environmentOf("no-token-pod")).KUBECONFIG, undefined);
  assert.equal((await environmentOf("no-token-account")).KUBECONFIG, undefined);
  assert.ok(existsSync((await environmentOf("token-anyway")).KUBECONFIG ?? ""));
});

test("a pod waits for its ServiceAccount", async () => {
  await createServiceAccount(cluster.client, "late");
  await cluster.createPod("no-account", { nodeName: "", serviceAccountName: "late", containers: [whoami] });
  await cluster.client.delete(serviceAccounts, "late", testNamespace);
  await cluster.client.json({
    method: "POST",
    path: `/api/v1/namespaces/${testNamespace}/pods/no-account/binding`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "no-account" },
      target: { name: nodeName },
    }),
  });
  assert.equal(await nextEvent("no-account", "FailedMount"), 'serviceaccount "late" not found');
  await createServiceAccount(cluster.client, "late");
  await cluster.until(pods, "no-account", isReady);
});

test("the log API: tails, times, errors, and strangers", async () => {
  await cluster.createPod("logs", { containers: [{ ...whoami, args: ["-verbose"] }] });
  const pod = await cluster.until(pods, "logs", isReady);
  await httpGet(pod?.status?.podIP ?? "", 80, "/one");
  const path = `/containerLogs/${testNamespace}/logs/main`;
  const get = async (suffix: string, token?: string): Promise<[number | undefined, string]> => {
    const response = await cluster.kubeletGet(suffix, token);
    return [response.statusCode, await text(response)];
  };
  const following = await cluster.kubeletGet(`${path}?follow=true`);
  following.setEncoding("utf8");
  let followed = "";
  for await (const chunk of following as AsyncIterable<string>) {
    followed += chunk;
    if (followed.includes("/one")) break;
  }
  assert.match((await get(`${path}?tailLines=1`))[1], /^\S+ \S+ .*"GET \/one HTTP\/1\.1" - -\n$/);
  assert.match((await get(`${path}?limitBytes=4`))[1], /^20\d\d$/);
  assert.match((await get(`${path}?timestamps=true&tailLines=1`))[1], /^20\d\d-\S+\.\d{9}Z 20\d\d\//);
  assert.equal((await get(`${path}?sinceTime=2999-01-01T00:00:00Z`))[1], "");
  const cases: [string, number, RegExp][] = [
    [`${path}?tailLines=x`, 400, /invalid tailLines/],
    [`${path}?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z`, 400, /at most one of/],
    [`${path}?previous=true`, 400, /previous terminated container "main" in pod "logs" not found/],
    [`/containerLogs/${testNamespace}/logs/other`, 404, /container "other" not found in pod "logs"/],
    [`/containerLogs/${testNamespace}/none/main`, 404, /pod "none" does not exist/],
    ["/exec/x", 404, /not found/],
    ["//", 400, /Bad Request/],
    ["/containerLogs/%zz/%/x", 404, /does not exist/],
  ];
  for (const [wanted, code, message] of cases) {
    const [status, body] = await get(wanted);
    assert.equal(status, code, wanted);
    assert.match(body, message);
  }
  assert.deepEqual(await get(path, "wrong"), [401, "Unauthorized"]);
  assert.deepEqual(await get("/healthz", "wrong"), [200, "ok"]);
  const list = JSON.parse((await get("/pods"))[1]) as { items: Pod[] };
  assert.ok(list.items.some(({ metadata: { name } }) => name === "logs"));
  await cluster.createPod("no-log", { containers: [{ name: "main", image: "nginx" }] });
  await cluster.until(pods, "no-log", (current) => waiting(current) !== undefined);
  assert.match((await get(`/containerLogs/${testNamespace}/no-log/main`))[1], /is waiting to start: ErrImagePull/);
});
