// Server-side apply over the wire: what a PATCH with application/apply-patch+yaml makes, refuses and leaves alone.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient, WriteOptions } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { type Deployment, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { configMaps, services } from "@gatehouse/apimachinery/types/core-v1";
import { crd } from "./crd/crd.fixture.ts";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
const namespace = "default";

before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

interface Entry {
  manager: string;
  operation: string;
  apiVersion: string;
  subresource?: string;
  time?: string;
  fieldsV1: object;
}
const entriesOf = ({ metadata }: KubeObject): Entry[] => (metadata.managedFields ?? []) as Entry[];
const entryOf = (object: KubeObject, manager: string): Entry | undefined =>
  entriesOf(object).find((entry) => entry.manager === manager);

const configMap = (name: string, data?: object, metadata: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  ...(data ? { data } : {}),
});

function deployment(name: string, replicas?: number, image = "web:1"): KubeObject {
  const labels = { app: name };
  const containers = [{ name: "web", image, ports: [{ containerPort: 80 }] }];
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { ...spec, ...(replicas === undefined ? {} : { replicas }) },
  };
}

function apply<T extends KubeObject>(
  type: ResourceType<T>,
  config: object,
  manager: string,
  options: WriteOptions & { force?: boolean } = {},
  subresource?: string,
): Promise<T> {
  const { name } = (config as KubeObject).metadata;
  const target = { name, ...(type.namespaced ? { namespace } : {}), ...(subresource ? { subresource } : {}) };
  return client.patch(type, target, "apply", config, { fieldManager: manager, ...options });
}

describe("an apply", () => {
  it("makes the object when there is none, and owns what it said, not what the server added", async () => {
    const made = await apply(deployments, deployment("made", 2), "me");
    assert.equal(made.spec.replicas, 2);
    assert.equal(made.metadata.generation, 1);
    const [entry, ...others] = entriesOf(made);
    assert.deepEqual(others, []);
    const { time, ...rest } = entry as Entry;
    assert.match(time ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(rest, {
      manager: "me",
      operation: "Apply",
      apiVersion: "apps/v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:spec": {
          "f:replicas": {},
          "f:selector": {},
          "f:template": {
            "f:metadata": { "f:labels": { "f:app": {} } },
            "f:spec": {
              "f:containers": {
                'k:{"name":"web"}': {
                  ".": {},
                  "f:image": {},
                  "f:name": {},
                  "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
                },
              },
            },
          },
        },
      },
    });
  });

  it("answers 201 for a new object, 200 for another", async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps/code?fieldManager=me`;
    const headers = { "content-type": "application/apply-patch+yaml" };
    const send = (data: string) =>
      client.stream({
        method: "PATCH",
        path,
        headers,
        body: `{apiVersion: v1, kind: ConfigMap, metadata: {name: code}, data: {a: ${data}}}`,
      });
    for (const [data, code] of [
      ["x", 201],
      ["y", 200],
    ] as const) {
      const answer = await send(data);
      assert.equal(answer.statusCode, code);
      answer.resume();
    }
    assert.deepEqual((await client.get(configMaps, "code", namespace)).data, { a: "y" });
  });

  it("of the same thing is no write: no new version, and no event", async () => {
    const first = await apply(deployments, deployment("same", 2), "me");
    const again = await apply(deployments, deployment("same", 2), "me");
    assert.deepEqual(again, first);
    const unnormalized = structuredClone(deployment("same", 2));
    Object.assign(unnormalized.metadata, { creationTimestamp: null });
    const third = await apply(deployments, { ...unnormalized, status: {} }, "me");
    assert.equal(third.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  it("removes what its manager no longer says, and keeps what others own", async () => {
    await apply(configMaps, configMap("shrinks", { a: "1", b: "2", c: "3" }), "me");
    await apply(configMaps, configMap("shrinks", { b: "2" }), "other");
    await client.patch(
      configMaps,
      { name: "shrinks", namespace },
      "merge",
      { data: { c: "4" } },
      { fieldManager: "editor" },
    );
    const { data } = await apply(configMaps, configMap("shrinks"), "me");
    assert.deepEqual(data, { b: "2", c: "4" });
  });

  it("of another value is a Conflict that names field and owner, unless it is forced", async () => {
    await apply(deployments, deployment("contested", 1), "me");
    const target = { name: "contested", namespace };
    await client.patch(deployments, target, "merge", { spec: { replicas: 5 } }, { fieldManager: "scaler" });
    const refused = await apply(deployments, deployment("contested", 2), "me").catch((error: unknown) => error);
    assert.ok(refused instanceof StatusError);
    const { code, reason, message, details } = refused.status;
    assert.deepEqual([code, reason], [409, "Conflict"]);
    assert.equal(message, 'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas');
    assert.deepEqual(details?.causes, [
      { reason: "FieldManagerConflict", message: 'conflict with "scaler" using apps/v1', field: ".spec.replicas" },
    ]);
    const forced = await apply(deployments, deployment("contested", 2), "me", { force: true });
    assert.equal(forced.spec.replicas, 2);
    assert.equal(entryOf(forced, "scaler"), undefined);
  });

  it("lists several conflicts by owner", async () => {
    await apply(configMaps, configMap("many", { a: "1", b: "1" }), "first");
    await apply(configMaps, configMap("many", { c: "1" }), "second");
    await assert.rejects(
      apply(configMaps, configMap("many", { a: "2", b: "2", c: "2" }), "third"),
      refusedWith(
        409,
        /^Apply failed with 3 conflicts: conflicts with "first":\n- \.data\.a\n- \.data\.b\nconflicts with "second":\n- \.data\.c$/,
      ),
    );
  });

  it("as a rehearsal shows the result and stores nothing", async () => {
    await apply(configMaps, configMap("rehearsed", { a: "1" }), "me");
    const shown = await apply(configMaps, configMap("rehearsed", { a: "2" }), "me", { dryRun: true });
    assert.deepEqual(shown.data, { a: "2" });
    assert.deepEqual((await client.get(configMaps, "rehearsed", namespace)).data, { a: "1" });
    await apply(configMaps, configMap("never-made"), "me", { dryRun: true });
    await assert.rejects(client.get(configMaps, "never-made", namespace), refusedWith(404));
  });

  it("leaves alone what the server gave: a Service's address", async () => {
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } };
    const made = await apply(services, service, "me");
    const again = await apply(
      services,
      {
        ...service,
        spec: { ports: [{ port: 80 }, { port: 443, name: "tls" }].map((port) => ({ name: "http", ...port })) },
      },
      "me",
    );
    assert.ok(made.spec?.clusterIP);
    assert.equal(again.spec?.clusterIP, made.spec?.clusterIP);
  });

  it("takes over objects whose owners are unknown without removing anything", async () => {
    const created = await client.create(configMaps, configMap("unowned", { a: "1", b: "1" }, { namespace }));
    const forgotten = await client.update(configMaps, {
      ...created,
      metadata: { ...created.metadata, managedFields: [] },
    });
    assert.deepEqual(entriesOf(forgotten), []);
    const applied = await apply(configMaps, configMap("unowned", { a: "1" }), "me");
    assert.deepEqual(
      entriesOf(applied).map(({ manager }) => manager),
      ["me", "before-first-apply"],
    );
    await assert.rejects(
      apply(configMaps, configMap("unowned", { b: "2" }), "me"),
      refusedWith(409, /before-first-apply/),
    );
  });
});

const refusals: { name: string; config: object; code: number; message: RegExp; options?: WriteOptions }[] = [
  {
    name: "without a manager",
    config: configMap("refused"),
    options: { fieldManager: "" },
    code: 422,
    message: /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/,
  },
  {
    name: "with a manager's name without end",
    config: configMap("refused"),
    options: { fieldManager: "m".repeat(129) },
    code: 422,
    message: /fieldManager: Too long: may not be more than 128 bytes/,
  },
  {
    name: "with a manager's name that cannot be printed",
    config: configMap("refused"),
    options: { fieldManager: "a\nb" },
    code: 422,
    message: /fieldManager: Invalid value: "a\\nb"/,
  },
  {
    name: "of owners",
    config: configMap("refused", {}, { managedFields: [] }),
    code: 400,
    message: /^metadata\.managedFields must be nil$/,
  },
  {
    name: "of another kind",
    config: { ...configMap("refused"), kind: "Secret" },
    code: 400,
    message: /^invalid object type: \/v1, Kind=Secret$/,
  },
  {
    name: "of another version",
    config: { ...configMap("refused"), apiVersion: "demo/v2" },
    code: 400,
    message: /^invalid object type: demo\/v2, Kind=ConfigMap$/,
  },
  {
    name: "of another namespace",
    config: configMap("refused", {}, { namespace: "else" }),
    code: 400,
    message: /namespace/,
  },
  {
    name: "of an unknown field, whatever fieldValidation says",
    config: { ...configMap("refused"), dota: {} },
    options: { fieldValidation: "Ignore" },
    code: 500,
    message:
      /^failed to create typed patch object \(default\/refused; \/v1, Kind=ConfigMap\): \.dota: field not declared in schema$/,
  },
  {
    name: "of an object with a uid that is not there",
    config: configMap("refused", {}, { uid: "u-1" }),
    code: 409,
    message: /uid mismatch: the provided object specified uid u-1, and no existing object was found/,
  },
  {
    name: "of a list",
    config: Object.assign([], { metadata: { name: "refused" } }),
    code: 400,
    message: /is an object/,
  },
];

describe("an apply is refused", () => {
  for (const { name, config, code, message, options } of refusals) {
    it(name, () => assert.rejects(apply(configMaps, config, "me", options), refusedWith(code, message)));
  }

  it("of another name than the URL, or of none", async () => {
    const target = { name: "refused", namespace };
    const send = (config: object) => client.patch(configMaps, target, "apply", config, { fieldManager: "me" });
    await assert.rejects(send(configMap("else")), refusedWith(400, /does not match the name on the URL/));
    const nameless = { apiVersion: "v1", kind: "ConfigMap", metadata: {} };
    await assert.rejects(send(nameless), refusedWith(400, /name must be provided/));
  });

  it("of a stale resourceVersion, or another UID", async () => {
    await apply(configMaps, configMap("guarded", { a: "1" }), "me");
    const stale = configMap("guarded", { a: "2" }, { resourceVersion: "1" });
    await assert.rejects(apply(configMaps, stale, "me"), refusedWith(409, /has been modified/));
    const foreign = configMap("guarded", { a: "2" }, { uid: "u-1" });
    await assert.rejects(apply(configMaps, foreign, "me"), refusedWith(422, /metadata\.uid: .* field is imm/));
  });

  it("to those who may patch but not create, when there is nothing to patch", async () => {
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["patch"] }];
    const rbac = "rbac.authorization.k8s.io";
    const role = { group: rbac, version: "v1", plural: "roles", kind: "Role", namespaced: true };
    const binding = { group: rbac, version: "v1", plural: "rolebindings", kind: "RoleBinding", namespaced: true };
    const metadata = { name: "patcher", namespace };
    await client.create(role, { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules });
    await client.create(binding, {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: "patcher" },
      subjects: [{ apiGroup: rbac, kind: "User", name: "patcher" }],
    });
    await apply(configMaps, configMap("there"), "me");
    const patcher = await cluster.client({ user: "patcher", groups: ["system:authenticated"] });
    const send = (name: string) =>
      patcher.patch(configMaps, { name, namespace }, "apply", configMap(name, { a: "1" }), { fieldManager: "it" });
    assert.deepEqual((await send("there")).data, { a: "1" });
    await assert.rejects(send("not-there"), refusedWith(403, /"patcher" cannot create resource "configmaps"/));
  });

  it("with force, when it is another kind of patch", async () => {
    const send = client.patch(configMaps, { name: "there", namespace }, "merge", {}, { force: true });
    await assert.rejects(send, refusedWith(422, /force: Forbidden: may not be specified for non-apply patch/));
  });
});

describe("subresources", () => {
  it("of status own the status alone, and make nothing", async () => {
    await apply(deployments, deployment("reported", 1), "me");
    const status = { observedGeneration: 1, replicas: 1, conditions: [{ type: "Available", status: "True" }] };
    const config = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "reported" },
      spec: { replicas: 9 },
      status,
    };
    const { spec: _spec, ...report } = config;
    const applied = await apply<Deployment>(deployments, report, "reporter", {}, "status");
    assert.deepEqual([applied.spec.replicas, applied.status?.replicas], [1, 1]);
    const entry = entryOf(applied, "reporter");
    assert.equal(entry?.subresource, "status");
    assert.deepEqual(entry?.fieldsV1, {
      "f:status": {
        "f:conditions": { 'k:{"type":"Available"}': { ".": {}, "f:status": {}, "f:type": {} } },
        "f:observedGeneration": {},
        "f:replicas": {},
      },
    });
    const missing = { ...report, metadata: { name: "nowhere" } };
    await assert.rejects(apply(deployments, missing, "reporter", {}, "status"), refusedWith(404));
    // The object's own applier has no say in the status, and no conflict about it.
    const mixed = await apply(deployments, { ...deployment("reported", 1), status: { replicas: 7 } }, "me");
    assert.equal(mixed.status?.replicas, 1);
  });

  it("of scale own the replicas", async () => {
    await apply(deployments, deployment("scaled", 1), "me");
    const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "scaled" }, spec: { replicas: 3 } };
    const refused = apply(deployments, scale, "scaler", {}, "scale");
    await assert.rejects(refused, refusedWith(409, /conflict with "me": \.spec\.replicas$/));
    const answer: KubeObject = await apply(deployments, scale, "scaler", { force: true }, "scale");
    assert.deepEqual([answer.kind, answer["spec"]], ["Scale", { replicas: 3 }]);
    const scaled = await client.get(deployments, "scaled", namespace);
    const { fieldsV1, subresource, operation } = entryOf(scaled, "scaler") as Entry;
    assert.deepEqual([fieldsV1, subresource, operation], [{ "f:spec": { "f:replicas": {} } }, "scale", "Apply"]);
    await assert.rejects(
      apply(deployments, deployment("scaled"), "scaler", {}, "scale"),
      refusedWith(400, /invalid object type/),
    );
  });
});

describe("custom resources", () => {
  const routes: ResourceType = {
    group: "demo.example.com",
    version: "v1",
    plural: "routes",
    kind: "Route",
    namespaced: true,
  };
  const route = (spec: object, version = "v1"): KubeObject => ({
    apiVersion: `demo.example.com/${version}`,
    kind: "Route",
    metadata: { name: "a" },
    spec,
  });
  before(async () => {
    const crds = {
      group: "apiextensions.k8s.io",
      version: "v1",
      plural: "customresourcedefinitions",
      kind: "CustomResourceDefinition",
      namespaced: false,
    };
    await client.create(crds, crd());
  });

  it("merge by their definition's list types", async () => {
    await apply(routes, route({ hostnames: ["a", "b"] }), "one");
    const merged = await apply(routes, route({ hostnames: ["c"] }), "two");
    assert.deepEqual(merged["spec"], { hostnames: ["a", "b", "c"], replicas: 1 });
    const left = await apply(routes, route({ hostnames: ["b"] }), "one");
    assert.deepEqual(left["spec"], { hostnames: ["b", "c"], replicas: 1 });
    assert.deepEqual(entryOf(left, "one")?.fieldsV1, { "f:spec": { "f:hostnames": { 'v:"b"': {} } } });
  });

  it("have one applier whatever version it speaks", async () => {
    const beta = { ...routes, version: "v1beta1" };
    const applied = await apply(beta, route({ hostnames: ["b"], open: true }, "v1beta1"), "one");
    assert.equal(entryOf(applied, "one")?.apiVersion, "demo.example.com/v1beta1");
    const again = await apply(routes, route({ hostnames: ["b"] }), "one");
    assert.deepEqual(again["spec"], { hostnames: ["b", "c"], replicas: 1 });
    assert.equal(entriesOf(again).filter(({ manager }) => manager === "one").length, 1);
  });

  it("are checked as any other write", async () => {
    const wrong = apply(routes, { ...route({}), metadata: { name: "far-too-long" } }, "one");
    await assert.rejects(wrong, refusedWith(422, /Too long/));
  });
});
