// Who owns what after creates, updates and patches (metadata.managedFields).

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ApiClient, createApiClient, type PatchType } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type ConfigMap, configMaps, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
const namespace = "default";

before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

/** Each entry as `operation manager[/subresource]`, with its fields. */
function ownersOf({ metadata }: KubeObject): Record<string, object> {
  const entries = (metadata.managedFields ?? []) as {
    manager: string;
    operation: string;
    subresource?: string;
    fieldsV1: object;
  }[];
  return Object.fromEntries(
    entries.map(({ manager, operation, subresource, fieldsV1 }) => [
      `${operation} ${manager}${subresource ? `/${subresource}` : ""}`,
      fieldsV1,
    ]),
  );
}

const configMap = (name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels: { app: "x" } },
  data,
});
const labels = { "f:metadata": { "f:labels": { ".": {}, "f:app": {} } } };
const target = (name: string) => ({ name, namespace });

describe("a create", () => {
  it("owns every field, but for what the server says of the object", async () => {
    const made = await client.create(configMaps, configMap("made", { b: "1", a: "1" }), { fieldManager: "me" });
    const owners = ownersOf(made);
    assert.deepEqual(owners, { "Update me": { "f:data": { ".": {}, "f:a": {}, "f:b": {} }, ...labels } });
    assert.deepEqual(Object.keys(owners["Update me"] ?? {}), ["f:data", "f:metadata"], "in order");
  });

  it("is by the client's program when it names nobody", async () => {
    const agent = await createApiClient({ connect: () => cluster.connect(), userAgent: "robot/v1 (linux)" });
    const made = await agent.create(configMaps, configMap("by-program", {}));
    agent.close();
    assert.deepEqual(Object.keys(ownersOf(made)), ["Update robot"]);
  });
});

describe("what a component of the system makes", () => {
  it("has unknown owners until somebody applies to it", async () => {
    const component = await cluster.client({ user: "system:kube-controller-manager", groups: ["system:masters"] });
    const made = await component.create(configMaps, configMap("theirs", { a: "1" }));
    assert.deepEqual(ownersOf(made), {});
    const applied = (a: string) => {
      const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs" }, data: { a } };
      return client.patch(configMaps, target("theirs"), "apply", config, { fieldManager: "me" });
    };
    await assert.rejects(applied("2"), refusedWith(409, /"before-first-apply" using v1: \.data\.a$/));
    const all = { "f:data": { ".": {}, "f:a": {} }, ...labels };
    assert.deepEqual(ownersOf(await applied("1")), {
      "Apply me": { "f:data": { "f:a": {} } },
      "Update before-first-apply": all,
    });
    const patch = { data: { a: "2" } };
    const changed = await component.patch(configMaps, target("theirs"), "merge", patch, { fieldManager: "it" });
    assert.deepEqual(Object.keys(ownersOf(changed)), ["Update before-first-apply", "Update it"]);
  });

  it("is told from what a service account makes", async () => {
    const user = "system:serviceaccount:default:operator";
    const operator = await cluster.client({ user, groups: ["system:masters"] });
    const made = await operator.create(configMaps, configMap("operated", { a: "1" }), { fieldManager: "operator" });
    assert.deepEqual(ownersOf(made), { "Update operator": { "f:data": { ".": {}, "f:a": {} }, ...labels } });
  });
});

describe("a change", () => {
  it("by PUT and by any patch takes what it changes, and drops those left with nothing", async () => {
    const made = await client.create(configMaps, configMap("changed", { a: "1", b: "1", c: "1" }), {
      fieldManager: "one",
    });
    await client.update(configMaps, { ...made, data: { a: "2", b: "1", c: "1" } }, { fieldManager: "two" });
    await client.patch(configMaps, target("changed"), "merge", { data: { b: "2" } }, { fieldManager: "three" });
    const operations = [{ op: "remove", path: "/data/c" }];
    const last = await client.patch(configMaps, target("changed"), "json", operations, { fieldManager: "four" });
    assert.deepEqual(ownersOf(last), {
      "Update one": { "f:data": {}, ...labels },
      "Update two": { "f:data": { "f:a": {} } },
      "Update three": { "f:data": { "f:b": {} } },
    });
    const all = { metadata: { labels: null }, data: null };
    const bare = await client.patch(configMaps, target("changed"), "merge", all, { fieldManager: "five" });
    assert.deepEqual(ownersOf(bare), {});
  });

  it("of nothing leaves owners and times as they are", async () => {
    const made = await client.create(configMaps, configMap("still", { a: "1" }), { fieldManager: "one" });
    const again = await client.update(configMaps, made, { fieldManager: "two" });
    assert.deepEqual(again, made);
  });

  it("of the status is told apart", async () => {
    const spec = { containers: [{ name: "web", image: "web:1" }] };
    const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace }, spec };
    const made = await client.create(pods, pod, { fieldManager: "one" });
    const status = { ...made.status, podIP: "127.0.0.9" };
    const changed = await client.updateStatus(
      pods,
      { ...made, metadata: { ...made.metadata, labels: { a: "b" } }, status },
      { fieldManager: "one" },
    );
    const { "Update one/status": own } = ownersOf(changed);
    assert.deepEqual(own, { "f:status": { "f:podIP": {} } });
  });

  it("by a client that sends no owners back loses none", async () => {
    const made = await client.create(configMaps, configMap("unaware", { a: "1" }), { fieldManager: "one" });
    const { managedFields: _fields, ...metadata } = made.metadata;
    const changed = await client.update(
      configMaps,
      { ...made, metadata, data: { a: "1", b: "1" } },
      { fieldManager: "two" },
    );
    assert.deepEqual(Object.keys(ownersOf(changed)), ["Update one", "Update two"]);
  });
});

describe("owners", () => {
  it("can be corrected by a client", async () => {
    const made = await client.create(configMaps, configMap("corrected", { a: "1" }), { fieldManager: "one" });
    const [entry] = made.metadata.managedFields as [object];
    const value = [{ ...entry, manager: "heir", operation: "Apply" }];
    const operations = [{ op: "replace", path: "/metadata/managedFields", value }];
    const changed = await client.patch(configMaps, target("corrected"), "json", operations, { fieldManager: "one" });
    assert.deepEqual(Object.keys(ownersOf(changed)), ["Apply heir"]);
    assert.notEqual(changed.metadata.resourceVersion, made.metadata.resourceVersion);
  });

  it("that make no sense are passed over", async () => {
    const made = await client.create(configMaps, configMap("nonsense", { a: "1" }), { fieldManager: "one" });
    for (const entry of [
      { manager: "x" },
      { manager: "x", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV9" },
      {
        ...(made.metadata.managedFields?.[0] as object),
        fieldsV1: { [`v:${"[".repeat(20_000)}1${"]".repeat(20_000)}`]: {} },
      },
    ]) {
      const changed = await client.update(configMaps, {
        ...made,
        metadata: { ...made.metadata, managedFields: [entry] },
      });
      assert.deepEqual(changed, made);
    }
  });

  it("are forgotten on demand, and not found again by mere updates", async () => {
    for (const [name, managedFields] of [
      ["emptied", []],
      ["reset", [{}]],
    ] as const) {
      const made = await client.create(configMaps, configMap(name, { a: "1" }), { fieldManager: "one" });
      const patch = { metadata: { managedFields } };
      const changed = await client.patch(configMaps, target(name), "merge", patch, { fieldManager: "one" });
      assert.deepEqual(ownersOf(changed), {}, name);
      const later = await client.update(configMaps, { ...made, metadata: { ...changed.metadata }, data: { a: "2" } });
      assert.deepEqual(ownersOf(later), {}, name);
    }
  });

  it("are at most ten, besides those who apply", async () => {
    await client.create(configMaps, configMap("crowded", { first: "1" }), { fieldManager: "m0" });
    let last: KubeObject | undefined;
    for (let index = 1; index < 14; index++) {
      const options = { fieldManager: `m${index}` };
      last = await client.patch(configMaps, target("crowded"), "merge", { data: { [`k${index}`]: "1" } }, options);
    }
    const names = Object.keys(ownersOf(last as KubeObject));
    assert.equal(names.length, 10);
    assert.ok(names.includes("Update ancient-changes") && names.includes("Update m13"), names.join());
  });
});

describe("keys that every JavaScript object has", () => {
  const keys = ["__proto__", "constructor", "toString"];
  const each = <T>(value: T): Record<string, T> => Object.fromEntries(keys.map((name) => [name, value]));
  const dataFields = (self: object = {}) => ({
    "f:data": { ...self, ...Object.fromEntries(keys.map((name) => [`f:${name}`, {}])) },
  });
  const bare = (name: string, data: Record<string, string>): ConfigMap => {
    const { metadata, ...rest } = configMap(name, data);
    return { ...rest, metadata: { name: metadata.name, namespace } };
  };

  it("are owned by whoever adds or changes them, and by nobody once they are gone", async () => {
    const made = await client.create(configMaps, bare("updated", each("1")), { fieldManager: "one" });
    assert.deepEqual(made.data, each("1"));
    assert.deepEqual(ownersOf(made), { "Update one": dataFields({ ".": {} }) });

    const changed = await client.update(configMaps, { ...made, data: each("2") }, { fieldManager: "two" });
    assert.deepEqual(changed.data, each("2"));
    const self = { "Update one": { "f:data": {} } };
    assert.deepEqual(ownersOf(changed), { ...self, "Update two": dataFields() });

    const gone = await client.update(configMaps, { ...changed, data: { a: "1" } }, { fieldManager: "three" });
    assert.deepEqual(gone.data, { a: "1" });
    assert.deepEqual(ownersOf(gone), { ...self, "Update three": { "f:data": { "f:a": {} } } });

    const again = await client.update(
      configMaps,
      { ...gone, data: { a: "1", ...each("3") } },
      { fieldManager: "four" },
    );
    assert.deepEqual(ownersOf(again), { ...ownersOf(gone), "Update four": dataFields() });
  });

  it("are applied and given up like any other", async () => {
    const apply = (data: Record<string, string>) =>
      client.patch(configMaps, target("applied"), "apply", bare("applied", data), { fieldManager: "applier" });
    const made = await apply(each("1"));
    assert.deepEqual(made.data, each("1"));
    assert.deepEqual(ownersOf(made), { "Apply applier": dataFields() });
    assert.deepEqual((await apply({ a: "1", ...each("2") })).data, { a: "1", ...each("2") });
    const less = await apply({ a: "1" });
    assert.deepEqual(less.data, { a: "1" });
    assert.deepEqual(ownersOf(less), { "Apply applier": { "f:data": { "f:a": {} } } });
  });

  it("are patched like any other", async () => {
    await client.create(configMaps, bare("patched", { a: "1" }), { fieldManager: "one" });
    const json = (op: string) => keys.map((name) => ({ op, path: `/data/${name}`, value: "1" }));
    const patches: [PatchType, add: unknown, remove: unknown][] = [
      ["merge", { data: each("1") }, { data: each(null) }],
      ["strategic-merge", { data: each("1") }, { data: each(null) }],
      ["json", json("add"), json("remove")],
    ];
    for (const [type, add, remove] of patches) {
      const options = { fieldManager: "two" };
      const added = await client.patch(configMaps, target("patched"), type, add, options);
      assert.deepEqual(added.data, { a: "1", ...each("1") }, type);
      assert.deepEqual(ownersOf(added)["Update two"], dataFields(), type);
      const removed = await client.patch(configMaps, target("patched"), type, remove, options);
      assert.deepEqual(removed.data, { a: "1" }, type);
      assert.deepEqual(Object.keys(ownersOf(removed)), ["Update one"], type);
    }
  });
});
