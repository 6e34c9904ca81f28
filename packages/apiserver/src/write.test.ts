// Creating and changing objects: what the server sets, what writers may and may not do.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient, PatchType } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type Deployment, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { type ConfigMap, configMaps } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

const namespace = "default";
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data,
});
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1" }] } };
const deployment = (name: string, spec: Partial<Deployment["spec"]> = {}): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: { selector: { matchLabels: { app: "web" } }, template: structuredClone(template), ...spec },
});
describe("a new object", () => {
  it("gets uid, creationTimestamp and resourceVersion, whatever the writer sent", async () => {
    const sent = configMap("stamped", { a: "b" });
    Object.assign(sent.metadata, {
      uid: "mine",
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
      generation: 7,
    });
    const { metadata, data } = await client.create(configMaps, sent);
    assert.match(metadata.uid ?? "", /^[0-9a-f]{8}-/);
    assert.notEqual(metadata.creationTimestamp, "2001-01-01T00:00:00Z");
    assert.ok(Number(metadata.resourceVersion) > 0);
    assert.deepEqual([metadata.deletionTimestamp, metadata.generation, data], [undefined, undefined, { a: "b" }]);
  });

  it("can be named by the server", async () => {
    const unnamed = configMap("");
    unnamed.metadata = { generateName: "made-", namespace } as never;
    const [first, second] = [await client.create(configMaps, unnamed), await client.create(configMaps, unnamed)];
    assert.match(first.metadata.name, /^made-[a-z0-9]{5}$/);
    assert.notEqual(first.metadata.name, second.metadata.name);
  });

  it("is refused when the name is taken, the namespace missing, or a resourceVersion set", async () => {
    await client.create(configMaps, configMap("taken"));
    await assert.rejects(
      client.create(configMaps, configMap("taken")),
      refusedWith(409, /^configmaps "taken" already exists$/),
    );
    const elsewhere = configMap("x");
    elsewhere.metadata.namespace = "nowhere";
    await assert.rejects(client.create(configMaps, elsewhere), refusedWith(404, /^namespaces "nowhere" not found$/));
    const versioned = configMap("x");
    versioned.metadata.resourceVersion = "1";
    await assert.rejects(client.create(configMaps, versioned), refusedWith(400, /resourceVersion should not be set/));
  });

  const badMetadata: [string, object, RegExp][] = [
    ["an upper-case name", { name: "Upper" }, /metadata.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain/],
    ["no name", { name: "" }, /metadata.name: Required value: name or generateName is required/],
    ["a long name", { name: "a".repeat(254) }, /no more than 253 characters/],
    ["a bad label key", { name: "x", labels: { "a/b/c": "d" } }, /metadata.labels: Invalid value: "a\/b\/c"/],
    ["a bad label value", { name: "x", labels: { a: "b c" } }, /metadata.labels: Invalid value: "b c": a valid label/],
    ["huge annotations", { name: "x", annotations: { a: "x".repeat(262_144) } }, /metadata.annotations: Too long/],
    [
      "two controllers",
      {
        name: "x",
        ownerReferences: [1, 2].map((uid) => ({
          apiVersion: "v1",
          kind: "Pod",
          name: "p",
          uid: `${uid}`,
          controller: true,
        })),
      },
      /Only one reference/,
    ],
    [
      "an owner without a uid",
      { name: "x", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p" }] },
      /: metadata\.ownerReferences\.uid: Invalid value: "": must not be empty$/,
    ],
    [
      "an Event for an owner",
      { name: "x", ownerReferences: [{ apiVersion: "v1", kind: "Event", name: "e", uid: "1" }] },
      /Kind=Event is disallowed from being an owner/,
    ],
    ["a finalizer without domain", { name: "x", finalizers: ["mine"] }, /neither a standard finalizer name nor/],
    ["both cascades", { name: "x", finalizers: ["orphan", "foregroundDeletion"] }, /cannot be both set/],
  ];
  for (const [what, metadata, message] of badMetadata) {
    it(`is refused with ${what}`, async () => {
      const wrong = { ...configMap("x"), metadata: { namespace, ...metadata } } as ConfigMap;
      await assert.rejects(client.create(configMaps, wrong), refusedWith(422, message));
    });
  }

  it("is refused when it is of another kind, version or namespace than the URL", async () => {
    const post = (body: object) =>
      client.json({
        method: "POST",
        path: "/api/v1/namespaces/default/configmaps",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
    await assert.rejects(post({ ...configMap("x"), kind: "Secret" }), refusedWith(400, /kind in the data \(Secret\)/));
    await assert.rejects(
      post({ ...configMap("x"), apiVersion: "v2" }),
      refusedWith(400, /API version in the data \(v2\) does not match/),
    );
    const elsewhere = { ...configMap("x"), metadata: { name: "x", namespace: "kube-system" } };
    await assert.rejects(post(elsewhere), refusedWith(400, /namespace of the provided object does not match/));
  });
});

describe("a change", () => {
  it("moves the resourceVersion; one that changes nothing does not", async () => {
    const created = await client.create(configMaps, configMap("moving", { a: "1" }));
    const same = await client.update(configMaps, created);
    assert.equal(same.metadata.resourceVersion, created.metadata.resourceVersion);
    const changed = await client.update(configMaps, { ...created, data: { a: "2" } });
    assert.ok(Number(changed.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
  });

  it("from a stale resourceVersion is a Conflict, without one it wins, of another UID it is a Conflict", async () => {
    const created = await client.create(configMaps, configMap("contested"));
    await client.update(configMaps, { ...created, data: { a: "1" } });
    await assert.rejects(
      client.update(configMaps, { ...created, data: { a: "2" } }),
      refusedWith(409, /the object has been modified; please apply your changes to the latest version/),
    );
    assert.deepEqual((await client.update(configMaps, configMap("contested", { a: "3" }))).data, { a: "3" });
    const stranger = configMap("contested");
    stranger.metadata.uid = "other";
    await assert.rejects(client.update(configMaps, stranger), refusedWith(409, /UID in precondition: other/));
  });

  it("cannot touch what the server owns", async () => {
    const created = await client.create(configMaps, configMap("owned"));
    const { metadata } = await client.update(configMaps, {
      ...created,
      metadata: {
        ...created.metadata,
        creationTimestamp: "2001-01-01T00:00:00Z",
        deletionTimestamp: "2001-01-01T00:00:00Z",
        labels: { a: "b" },
      },
    });
    assert.deepEqual(
      [metadata.creationTimestamp, metadata.deletionTimestamp, metadata.labels],
      [created.metadata.creationTimestamp, undefined, { a: "b" }],
    );
  });

  it("of what is not there is 404, except for kinds made by PUT", async () => {
    await assert.rejects(
      client.update(configMaps, configMap("absent")),
      refusedWith(404, /^configmaps "absent" not found$/),
    );
    const leases = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", namespaced: true };
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "made", namespace },
      spec: {},
    };
    const made = await client.update<KubeObject>(leases, lease);
    assert.ok(made.metadata.uid);
    await assert.rejects(
      client.update<KubeObject>(leases, lease),
      refusedWith(422, /metadata.resourceVersion: Invalid value: 0x0: must be specified for an update/),
    );
  });

  it("with another name than the URL is refused", async () => {
    const body = JSON.stringify(configMap("other"));
    const put = client.json({
      method: "PUT",
      path: "/api/v1/namespaces/default/configmaps/stamped",
      body,
      headers: { "content-type": "application/json" },
    });
    await assert.rejects(
      put,
      refusedWith(400, /the name of the object \(other\) does not match the name on the URL \(stamped\)/),
    );
  });
});

describe("spec and status", () => {
  it("are isolated both ways, and only the spec moves the generation", async () => {
    const wanted = { ...deployment("isolated", { replicas: 2 }), status: { replicas: 9 } } as Deployment;
    const created = await client.create(deployments, wanted);
    assert.deepEqual([created.metadata.generation, created.status], [1, {}]);
    const reported = await client.updateStatus(deployments, {
      ...created,
      metadata: { ...created.metadata, labels: { sneaked: "in" } },
      spec: { ...created.spec, replicas: 7 },
      status: { replicas: 2 },
    });
    assert.deepEqual(
      [reported.spec.replicas, reported.metadata.labels, reported.status, reported.metadata.generation],
      [2, undefined, { replicas: 2 }, 1],
    );
    const changed = await client.update(deployments, {
      ...reported,
      spec: { ...reported.spec, replicas: 3 },
      status: { replicas: 0 },
    });
    assert.deepEqual([changed.spec.replicas, changed.status, changed.metadata.generation], [3, { replicas: 2 }, 2]);
    const labelled = await client.update(deployments, {
      ...changed,
      metadata: { ...changed.metadata, labels: { a: "b" } },
    });
    assert.equal(labelled.metadata.generation, 2);
  });

  it("have no status subresource where the kind has no status", async () => {
    await assert.rejects(client.updateStatus(configMaps, configMap("stamped")), refusedWith(404, /could not find/));
  });
});

describe("patches", () => {
  const cases: [PatchType, unknown, Record<string, string>][] = [
    ["merge", { data: { a: null, b: "2" } }, { b: "2" }],
    ["strategic-merge", { data: { c: "3" } }, { a: "1", c: "3" }],
    ["json", [{ op: "replace", path: "/data/a", value: "9" }], { a: "9" }],
  ];
  for (const [type, patch, data] of cases) {
    it(`of type ${type} change the object`, async () => {
      const name = `patched-${type}`;
      await client.create(configMaps, configMap(name, { a: "1" }));
      const patched = await client.patch(configMaps, { name, namespace }, type, patch);
      assert.deepEqual(patched.data, data);
      assert.deepEqual((await client.get(configMaps, name, namespace)).data, data);
    });
  }

  it("merge lists by key where the kind says so, and never change what is stored by halves", async () => {
    await client.create(deployments, deployment("patched"));
    const change = {
      spec: {
        template: {
          spec: {
            containers: [
              { name: "web", image: "web:2" },
              { name: "side", image: "side" },
            ],
          },
        },
      },
    };
    const patched = await client.patch(deployments, { name: "patched", namespace }, "strategic-merge", change);
    assert.deepEqual(patched.spec.template.spec.containers.map(({ name, image }) => `${name}=${image}`).toSorted(), [
      "side=side",
      "web=web:2",
    ]);
    const wrong = { spec: { template: { metadata: { labels: { app: "other" } } } } };
    await assert.rejects(
      client.patch(deployments, { name: "patched", namespace }, "merge", wrong),
      refusedWith(422, /`selector` does not match template `labels`/),
    );
    assert.deepEqual((await client.get(deployments, "patched", namespace)).spec, patched.spec);
  });

  it("with a stale resourceVersion are a Conflict, of unknown types 415, of absent objects 404", async () => {
    await client.create(configMaps, configMap("guarded"));
    const stale = { metadata: { resourceVersion: "1" }, data: { a: "b" } };
    await assert.rejects(client.patch(configMaps, { name: "guarded", namespace }, "merge", stale), refusedWith(409));
    for (const type of ["application/apply-patch+cbor", "application/json"]) {
      const path = `/api/v1/namespaces/${namespace}/configmaps/guarded?fieldManager=m`;
      const send = client.json({ method: "PATCH", path, body: "{}", headers: { "content-type": type } });
      const answer = await send.catch((error: unknown) => error);
      assert.ok(refusedWith(415, /application\/apply-patch\+yaml$/)(answer));
      assert.ok((answer as Error).message.includes(`(${type})`));
    }
    await assert.rejects(client.patch(configMaps, { name: "absent", namespace }, "merge", {}), refusedWith(404));
  });

  it("of the status leave the rest alone", async () => {
    await client.create(deployments, deployment("status-patched"));
    const patch = { spec: { replicas: 9 }, status: { replicas: 1 } };
    const patched = await client.patch(
      deployments,
      { name: "status-patched", namespace, subresource: "status" },
      "merge",
      patch,
    );
    assert.deepEqual([patched.spec.replicas, patched.status], [1, { replicas: 1 }]);
  });
});

describe("unknown fields", () => {
  const typo = { ...configMap("typo"), dota: {} } as ConfigMap;

  it("are dropped with a warning by default, silently when asked, refused when Strict", async () => {
    const warnings: string[] = [];
    const created = await client.create(configMaps, typo, { onWarning: (warning) => warnings.push(warning) });
    assert.deepEqual([warnings, created.dota], [['unknown field "dota"'], undefined]);
    warnings.length = 0;
    await client.update(
      configMaps,
      { ...typo, data: { a: "1" } },
      { fieldValidation: "Ignore", onWarning: (warning) => warnings.push(warning) },
    );
    assert.deepEqual(warnings, []);
    const strict = client.update(configMaps, typo, { fieldValidation: "Strict" });
    await assert.rejects(
      strict,
      refusedWith(
        400,
        /ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"/,
      ),
    );
    const inMetadata = { ...configMap("typo"), metadata: { name: "typo", namespace, lables: {} } } as ConfigMap;
    await assert.rejects(
      client.update(configMaps, inMetadata, { fieldValidation: "Strict" }),
      refusedWith(400, /unknown field "metadata.lables"/),
    );
  });
});

describe("a rehearsal (dryRun=All)", () => {
  it("answers as the real thing and changes nothing", async () => {
    const rehearsed = await client.create(configMaps, configMap("rehearsed"), { dryRun: true });
    assert.ok(rehearsed.metadata.uid);
    await assert.rejects(client.get(configMaps, "rehearsed", namespace), refusedWith(404));
    const { metadata } = await client.create(configMaps, configMap("real", { a: "1" }));
    assert.deepEqual((await client.update(configMaps, configMap("real", { a: "2" }), { dryRun: true })).data, {
      a: "2",
    });
    await client.json({ method: "DELETE", path: "/api/v1/namespaces/default/configmaps/real?dryRun=All" });
    const still = await client.get(configMaps, "real", namespace);
    assert.deepEqual([still.data, still.metadata.resourceVersion], [{ a: "1" }, metadata.resourceVersion]);
  });

  it("is refused for values other than All", async () => {
    const path = "/api/v1/namespaces/default/configmaps/real?dryRun=Some";
    await assert.rejects(client.json({ method: "DELETE", path }), refusedWith(422, /dryRun/));
  });
});
