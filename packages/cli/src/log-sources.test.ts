import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { startTestServer, type TestServer } from "@gatehouse/apiserver/testing";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { configMaps, type Pod, pods, services } from "@gatehouse/apimachinery/types/core-v1";
import type { ClientContext } from "./client-context.ts";
import { findLogSources, type LogSelection } from "./log-sources.ts";
import { copyLines } from "./log-streams.ts";
import { discover } from "./resource-mapper.ts";

let cluster: TestServer;
let client: ApiClient;
let told: string[] = [];

const pod = (name: string, containers: string[], extra = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "default", labels: { app: "web" }, ...extra },
  spec: { containers: containers.map((container) => ({ name: container, image: "x" })) },
});

before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
  await client.create(pods, pod("b", ["one", "two"]));
  await client.create(pods, pod("a", ["one"]));
  const marked = pod("marked", ["one", "two"], {
    labels: {},
    annotations: { "kubectl.kubernetes.io/default-container": "two" },
  });
  await client.create(pods, { ...marked, spec: { ...marked.spec, initContainers: [{ name: "init", image: "x" }] } });
  const running = await client.get(pods, "b", "default");
  await client.updateStatus(pods, {
    ...running,
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  await client.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await client.create(deployments, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "none", namespace: "default" },
    spec: {
      selector: { matchLabels: { app: "none" } },
      template: { metadata: { labels: { app: "none" } }, spec: { containers: [{ name: "x", image: "x" }] } },
    },
  });
  await client.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "default" },
  });
});
after(() => cluster.close());

async function find(target: string | undefined, selection: LogSelection = {}): Promise<string[]> {
  told = [];
  const context = {
    client,
    namespace: "default",
    mapper: () => discover(client),
    err: (line: string) => told.push(line),
  };
  const sources = await findLogSources(context as unknown as ClientContext, target, selection);
  return sources.map(({ namespace, pod: name, container }) => `${namespace}/${name}/${container}`);
}

test("a pod by name, its first container, and what was chosen is said", async () => {
  assert.deepEqual(await find("a"), ["default/a/one"]);
  assert.deepEqual(told, []);
  assert.deepEqual(await find("pod/b"), ["default/b/one"]);
  assert.deepEqual(told, ['Defaulted container "one" out of: one, two']);
});

test("a marked default container, a named one, all of them", async () => {
  assert.deepEqual(await find("marked"), ["default/marked/two"]);
  assert.deepEqual(await find("marked", { container: "init" }), ["default/marked/init"]);
  assert.deepEqual(await find("b", { allContainers: true }), ["default/b/one", "default/b/two"]);
  await assert.rejects(find("b", { container: "three" }), /container three is not valid for pod b: it has one, two/);
});

test("a selector means every pod, in the order of names", async () => {
  assert.deepEqual(await find(undefined, { selector: "app=web", container: "one" }), [
    "default/a/one",
    "default/b/one",
  ]);
  assert.deepEqual(await find(undefined, { selector: "app=nothing" }), []);
});

test("an owner leads to its most useful pod", async () => {
  assert.deepEqual(await find("service/web"), ["default/b/one"]);
  assert.deepEqual(told[0], "Found 2 pods, using pod/b");
  await assert.rejects(find("deployment/none"), /no pods of deployment\/none found in namespace default/);
  await assert.rejects(find("configmap/c"), /cannot get the logs of configmap\/c/);
  await assert.rejects(find("deploy/gone"), /deployments.apps "gone" not found/);
  await assert.rejects(find("gone"), /pods "gone" not found/);
});

const pieces: [what: string, chunks: string[], prefix: string, expected: string[]][] = [
  ["whole lines pass at once", ["a\nb\n"], "", ["a\nb\n"]],
  ["half lines wait for their end", ["a\nb", "c\nd"], "", ["a\n", "bc\n", "d"]],
  ["every line has the prefix", ["a\n\nb\n", "c"], "[p] ", ["[p] a\n[p] \n[p] b\n", "[p] c"]],
  ["nothing gives nothing", [], "[p] ", []],
];

for (const [what, chunks, prefix, expected] of pieces) {
  test(what, async () => {
    const written: string[] = [];
    await copyLines(
      Readable.from(
        chunks.map((chunk) => Buffer.from(chunk)),
        { objectMode: false },
      ),
      prefix,
      (text) => written.push(text),
    );
    assert.equal(written.join(""), expected.join(""));
    for (const text of written.slice(0, -1)) assert.ok(text.endsWith("\n"));
  });
}
