import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startTestServer, type TestServer } from "@gatehouse/apiserver/testing";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { type KubeObject, lastAppliedAnnotation } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Deployment, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { configMaps, namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { applyObjects, type ApplyOptions, withLastApplied } from "./apply-objects.ts";
import { discover } from "./resource-mapper.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

/** `ref result`, or `ref failed: message`, for each object. */
async function apply(objects: KubeObject[], options: ApplyOptions = {}, as = client): Promise<string[]> {
  const lines: string[] = [];
  for await (const { ref, result, error } of applyObjects(as, objects, options)) {
    lines.push(`${ref} ${result}${error ? `: ${error.message}` : ""}`);
  }
  return lines;
}

const configMap = (name: string, data: Record<string, string>, metadata = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", ...metadata },
  data,
});

const deployment = (image: string): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
  },
});

test("created, unchanged, configured; keys that left the manifest go, keys of others stay", async () => {
  assert.deepEqual(await apply([configMap("a", { x: "1", y: "2" })]), ["configmap/a created"]);
  await client.patch(configMaps, { name: "a", namespace: "default" }, "merge", { data: { others: "3" } });
  assert.deepEqual(await apply([configMap("a", { x: "1", y: "2" })]), ["configmap/a unchanged"]);
  assert.deepEqual(await apply([configMap("a", { x: "4" })]), ["configmap/a configured"]);
  const live = await client.get(configMaps, "a", "default");
  assert.deepEqual(live.data, { x: "4", others: "3" });
  assert.equal(
    live.metadata.annotations?.[lastAppliedAnnotation],
    '{"apiVersion":"v1","data":{"x":"4"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}\n',
  );
});

test("the server's defaults are no change, in lists neither; a real change of a list is one", async () => {
  assert.deepEqual(await apply([deployment("one")]), ["deployment.apps/web created"]);
  const first = await client.get(deployments, "web", "default");
  assert.deepEqual(await apply([deployment("one")]), ["deployment.apps/web unchanged"]);
  const second = await client.get(deployments, "web", "default");
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion, "nothing was written");
  assert.deepEqual(await apply([deployment("two")]), ["deployment.apps/web configured"]);
  const third: Deployment = await client.get(deployments, "web", "default");
  assert.equal(third.spec.template.spec.containers[0]?.image, "two");
});

test("replicas that the manifest does not name stay as they were scaled", async () => {
  await client.patch(deployments, { name: "web", namespace: "default" }, "merge", { spec: { replicas: 3 } });
  await apply([deployment("three")]);
  const live: Deployment = await client.get(deployments, "web", "default");
  assert.equal(live.spec.replicas, 3);
});

test("an object made otherwise is taken over with a warning and loses nothing", async () => {
  await client.create(configMaps, configMap("made", { theirs: "1" }));
  const warnings: string[] = [];
  const outcome = await apply([configMap("made", { ours: "2" })], { onWarning: (warning) => warnings.push(warning) });
  assert.deepEqual(outcome, ["configmap/made configured"]);
  assert.match(warnings.join(), /^resource configmaps\/made is missing the .*last-applied-configuration annotation/);
  assert.deepEqual((await client.get(configMaps, "made", "default")).data, { theirs: "1", ours: "2" });
});

test("namespaces go before what is in them, whatever their order; outcomes keep the order given", async () => {
  const space = (name: string): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const outcome = await apply([configMap("in", {}, { namespace: "later" }), space("later")]);
  assert.deepEqual(outcome, ["configmap/in created", "namespace/later created"]);
  assert.equal((await client.get(namespaces, "later")).metadata.name, "later");
});

const widget = (name: string): KubeObject => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name },
  spec: { size: 1 },
});

const widgetDefinition: KubeObject = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

test("a definition and its objects in one go need no discovery; the default namespace is filled in", async () => {
  const outcome = await apply([widget("w"), widgetDefinition], { namespace: "kube-public" });
  assert.deepEqual(outcome, [
    "widget.example.com/w created",
    "customresourcedefinition.apiextensions.k8s.io/widgets.example.com created",
  ]);
  const type: ResourceType = {
    group: "example.com",
    version: "v1",
    plural: "widgets",
    kind: "Widget",
    namespaced: true,
  };
  assert.equal((await client.get(type, "w", "kube-public")).metadata.namespace, "kube-public");
  assert.deepEqual(await apply([widget("w")], { namespace: "kube-public", types: [type] }), [
    "widget.example.com/w unchanged",
  ]);
});

test("unknown kinds are discovered, and fail by name when the server has none; the others are applied", async () => {
  const cluster = { apiVersion: "kind.x-k8s.io/v1alpha4", kind: "Cluster", metadata: { name: "c" } } as KubeObject;
  const outcome = await apply([cluster, widget("found"), configMap("other", {})], { mapper: () => discover(client) });
  assert.match(
    outcome[0] ?? "",
    /^cluster\.kind\.x-k8s\.io\/c failed: .*no matches for kind "Cluster" in version "kind.x-k8s.io\/v1alpha4"/,
  );
  assert.deepEqual(outcome.slice(1), ["widget.example.com/found created", "configmap/other created"]);
});

test("the server's refusals are outcomes, and do not stop the rest", async () => {
  const outcome = await apply([
    configMap("x", {}, { namespace: "missing" }),
    { ...deployment("one"), spec: {} },
    configMap("", {}),
    configMap("fine", {}),
  ]);
  assert.match(outcome[0] ?? "", /^configmap\/x failed: namespaces "missing" not found/);
  assert.match(outcome[1] ?? "", /^deployment.apps\/web failed: /);
  assert.match(outcome[2] ?? "", /failed: .*resource name may not be empty/);
  assert.equal(outcome[3], "configmap/fine created");
});

for (const dryRun of ["server", "client"] as const) {
  test(`dry run (${dryRun}) says what would happen and keeps nothing`, async () => {
    await apply([configMap(`${dryRun}-there`, { a: "1" })]);
    const outcome = await apply(
      [
        configMap(`${dryRun}-new`, {}),
        configMap(`${dryRun}-there`, { a: "2" }),
        configMap(`${dryRun}-there`, { a: "1" }),
      ],
      { dryRun },
    );
    assert.deepEqual(outcome, [
      `configmap/${dryRun}-new created`,
      `configmap/${dryRun}-there configured`,
      `configmap/${dryRun}-there unchanged`,
    ]);
    await assert.rejects(client.get(configMaps, `${dryRun}-new`, "default"), (error) => hasReason(error, "NotFound"));
    assert.deepEqual((await client.get(configMaps, `${dryRun}-there`, "default")).data, { a: "1" });
  });
}

test("the same object twice is applied in the order given", async () => {
  const outcome = await apply([configMap("twice", { a: "1" }), configMap("twice", { a: "2" })]);
  assert.deepEqual(outcome, ["configmap/twice created", "configmap/twice configured"]);
  assert.deepEqual((await client.get(configMaps, "twice", "default")).data, { a: "2" });
});

test("an object that appears between the look and the creation is merged", async () => {
  let first = true;
  const racing: ApiClient = {
    ...client,
    create: async (type, object, options) => {
      if (first) {
        first = false;
        await client.create(configMaps, configMap("race", { theirs: "1" }));
      }
      return client.create(type, object, options);
    },
  };
  assert.deepEqual(await apply([configMap("race", { ours: "2" })], {}, racing), ["configmap/race configured"]);
  assert.deepEqual((await client.get(configMaps, "race", "default")).data, { theirs: "1", ours: "2" });
});

test("a field the schema does not know is refused, as kubectl has it", async () => {
  const [outcome] = await apply([{ ...configMap("typo", {}), datta: {} }]);
  assert.match(outcome ?? "", /configmap\/typo failed: .*unknown field "datta"/);
});

test("the annotation is what kubectl writes, and never holds itself", () => {
  const once = withLastApplied(configMap("a", { html: "<a>&</a>\u2028" }, { annotations: { note: "n" } }));
  const text = once.metadata.annotations?.[lastAppliedAnnotation];
  assert.ok(text?.includes('"html":"\\u003ca\\u003e\\u0026\\u003c/a\\u003e\\u2028"'), text);
  assert.equal(once.metadata.annotations?.note, "n");
  assert.deepEqual(withLastApplied(once), once);
});

test("marks are on what is created, and stay when the manifest is applied again without them", async () => {
  const marks = { "example.com/by": "us" };
  assert.deepEqual(await apply([configMap("marked", { x: "1" })], { marks }), ["configmap/marked created"]);
  assert.deepEqual(await apply([configMap("marked", { x: "2" })]), ["configmap/marked configured"]);
  assert.deepEqual(await apply([configMap("marked", { x: "3" })], { marks }), ["configmap/marked configured"]);
  const { labels, annotations } = (await client.get(configMaps, "marked", "default")).metadata;
  assert.deepEqual(labels, marks);
  assert.doesNotMatch(annotations?.[lastAppliedAnnotation] ?? "", /example\.com/);
});

test("what is there without the marks is refused, except namespaces, which are shared and left alone", async () => {
  const marks = { "example.com/by": "us" };
  const theirs: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "theirs" } };
  await apply([configMap("theirs", { x: "1" }), theirs]);
  assert.deepEqual(await apply([theirs, configMap("theirs", { x: "2" })], { marks }), [
    "namespace/theirs unchanged",
    "configmap/theirs failed: is there already, and not from here: delete it, or hand it over with the label example.com/by=us",
  ]);
  assert.deepEqual((await client.get(configMaps, "theirs", "default")).data, { x: "1" });
  assert.equal((await client.get(namespaces, "theirs")).metadata.labels?.["example.com/by"], undefined);
});
