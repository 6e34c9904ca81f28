// Programs as people write them with @kubernetes/client-node: `main.js NAME NAMESPACE` prints ok, or fails with an assertion.

import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import * as k8s from "@kubernetes/client-node";

const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);

const configMap = (namespace, name, data = { a: "1" }) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels: { of: "node" } },
  data,
});

const refused = (code, reason) => (error) => error.code === code && JSON.parse(error.body).reason === reason;

async function typed(namespace) {
  const body = configMap(namespace, "typed");
  await core.createNamespacedConfigMap({ namespace, body, fieldManager: "node" });
  await assert.rejects(core.createNamespacedConfigMap({ namespace, body }), refused(409, "AlreadyExists"));
  const read = await core.readNamespacedConfigMap({ namespace, name: "typed" });
  assert.ok(read.metadata.creationTimestamp instanceof Date);
  read.data.a = "2";
  await core.replaceNamespacedConfigMap({ namespace, name: "typed", body: read });
  await assert.rejects(
    core.replaceNamespacedConfigMap({ namespace, name: "typed", body: read }),
    refused(409, "Conflict"),
  );
  for (const [type, patch] of [
    [k8s.PatchStrategy.JsonPatch, [{ op: "add", path: "/data/j", value: "3" }]],
    [k8s.PatchStrategy.MergePatch, { data: { m: "4" } }],
    [k8s.PatchStrategy.StrategicMergePatch, { data: { s: "5" } }],
    [k8s.PatchStrategy.ServerSideApply, { apiVersion: "v1", kind: "ConfigMap", data: { v: "6" } }],
  ]) {
    const apply = type === k8s.PatchStrategy.ServerSideApply ? { fieldManager: "node-apply", force: true } : {};
    await core.patchNamespacedConfigMap(
      { namespace, name: "typed", body: patch, ...apply },
      k8s.setHeaderOptions("Content-Type", type),
    );
  }
  const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: "of=node" });
  assert.deepEqual(
    items.map(({ data }) => data),
    [{ a: "2", j: "3", m: "4", s: "5", v: "6" }],
  );
  await core.deleteNamespacedConfigMap({ namespace, name: "typed" });
  await assert.rejects(core.readNamespacedConfigMap({ namespace, name: "typed" }), refused(404, "NotFound"));
}

async function objects(namespace) {
  const client = k8s.KubernetesObjectApi.makeApiClient(config);
  const route = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "generic", namespace },
    spec: { hostnames: ["node.example"], parentRefs: [{ name: "nobody" }] },
  };
  const created = await client.create(route);
  assert.equal(created.spec.rules.length, 1);
  const change = { ...route, spec: { hostnames: ["other.example"] } };
  const patched = await client.patch(change, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch);
  assert.deepEqual(patched.spec.hostnames, ["other.example"]);
  const applied = { ...route, metadata: { name: "applied", namespace } };
  await client.patch(applied, undefined, undefined, "node", true, k8s.PatchStrategy.ServerSideApply);
  const { items } = await client.list(route.apiVersion, route.kind, namespace);
  assert.equal(items.length, 2);
  await client.delete(route);
  await assert.rejects(client.read(route), (error) => error.code === 404);
}

async function watch(namespace) {
  await core.createNamespacedConfigMap({ namespace, body: configMap(namespace, "before") });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: "of=node" });
  const informer = k8s.makeInformer(config, path, list, "of=node");
  const told = [];
  const complete = new Promise((resolve, reject) => {
    for (const event of ["add", "update", "delete"]) {
      informer.on(event, ({ metadata }) => {
        told.push(`${event} ${metadata.name}`);
        if (event === "delete") resolve();
      });
    }
    informer.on("error", reject);
  });
  await informer.start();
  await core.createNamespacedConfigMap({ namespace, body: configMap(namespace, "after") });
  await core.replaceNamespacedConfigMap({ namespace, name: "after", body: configMap(namespace, "after", { a: "2" }) });
  await core.deleteNamespacedConfigMap({ namespace, name: "after" });
  await complete;
  await informer.stop();
  assert.deepEqual(told, ["add before", "add after", "update after", "delete after"]);
}

/** A pod that is ready. */
async function startPod(namespace, name) {
  const spec = { containers: [{ name: "main", image: "traefik/whoami" }] };
  await core.createNamespacedPod({ namespace, body: { metadata: { name }, spec } });
  for (;;) {
    const { status } = await core.readNamespacedPod({ namespace, name });
    if (status?.containerStatuses?.[0]?.ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function logs(namespace) {
  await startPod(namespace, "logs");
  assert.match(await core.readNamespacedPodLog({ namespace, name: "logs" }), /./);
  const lines = new PassThrough();
  const controller = await new k8s.Log(config).log(namespace, "logs", "main", lines, { follow: true });
  const [first] = await lines.take(1).toArray();
  assert.match(String(first), /./);
  controller.abort();
}

async function exec(namespace) {
  await startPod(namespace, "exec");
  const run = (command, input) =>
    new Promise((resolve, reject) => {
      const out = new PassThrough();
      const text = out.toArray().then((chunks) => Buffer.concat(chunks).toString());
      const ended = async (status) => {
        out.end();
        resolve({ status, text: await text });
      };
      const stdin = input === undefined ? null : Readable.from([input]);
      new k8s.Exec(config)
        .exec(namespace, "exec", "main", ["sh", "-c", command], out, null, stdin, false, (status) => void ended(status))
        .catch(reject);
    });
  const said = await run("echo said");
  assert.deepEqual([said.status.status, said.text], ["Success", "said\n"]);
  const failed = await run("exit 3");
  assert.equal(failed.status.reason, "NonZeroExitCode");
  assert.deepEqual(failed.status.details.causes, [{ reason: "ExitCode", message: "3" }]);
}

async function forward(namespace) {
  await startPod(namespace, "forward");
  const answer = new PassThrough();
  const request = new PassThrough();
  await new k8s.PortForward(config).portForward(namespace, "forward", [80], answer, null, request);
  request.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of answer) if (/Hostname: forward/.test((text += chunk))) return;
  assert.fail(text);
}

const programs = { typed, objects, watch, logs, exec, forward };
const [name = "", namespace = "default"] = process.argv.slice(2);
await programs[name](namespace);
process.stdout.write("ok\n");
process.exit();
