// CustomResourceDefinitions: served from the moment they are written, in every version, until they and their objects are gone.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { CustomResourceDefinition } from "./crd-lifecycle.ts";
import { refusedWith, startTestServer, type TestServer } from "../testing.ts";

const crds: ResourceType<CustomResourceDefinition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};
const things = (version = "v1", plural = "things"): ResourceType => ({
  group: "example.com",
  version,
  plural,
  kind: "Thing",
  namespaced: true,
});

function definition(plural = "things", kind = "Thing"): CustomResourceDefinition {
  const schema = {
    openAPIV3Schema: {
      type: "object",
      properties: {
        spec: {
          type: "object",
          required: ["size"],
          properties: {
            size: { type: "integer", minimum: 1 },
            colour: { type: "string", default: "blue" },
            replicas: { type: "integer" },
          },
        },
        status: { type: "object", properties: { ready: { type: "boolean" }, replicas: { type: "integer" } } },
      },
    },
  };
  const subresources = {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
  };
  const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema, subresources });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural, kind },
      versions: [version("v1", true), version("v1beta1", false)],
    },
  };
}

const thing = (name: string, spec: object, version = "v1"): KubeObject => ({
  apiVersion: `example.com/${version}`,
  kind: "Thing",
  metadata: { name, namespace: "default" },
  spec,
});

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

describe("a CustomResourceDefinition", () => {
  it("is established as it is written, and its objects are served at once", async () => {
    await assert.rejects(client.list(things()), refusedWith(404, /could not find the requested resource/));
    const { status } = await client.create(crds, definition());
    assert.deepEqual(
      status?.conditions?.map(({ type, status: value }) => `${type}=${value}`),
      ["NamesAccepted=True", "Established=True"],
    );
    assert.deepEqual(status?.storedVersions, ["v1"]);
    const created = await client.create(things(), thing("first", { size: 1 }));
    assert.deepEqual([created.spec, created.metadata.generation], [{ size: 1, colour: "blue" }, 1]);
    const groups = await client.json<{ groups: { name: string }[] }>({ method: "GET", path: "/apis" });
    assert.ok(groups.groups.some(({ name }) => name === "example.com"));
  });

  it("keeps its conditions when it is written again", async () => {
    const current = await client.get(crds, "things.example.com");
    const labelled = await client.update(crds, { ...current, metadata: { ...current.metadata, labels: { a: "b" } } });
    assert.deepEqual(labelled.status, current.status);
  });
});

describe("custom objects", () => {
  it("are checked and pruned by their schema", async () => {
    await assert.rejects(
      client.create(things(), thing("bad", { size: 0 })),
      refusedWith(422, /^Thing.example.com "bad" is invalid: spec.size: Invalid value: 0/),
    );
    await assert.rejects(client.create(things(), thing("bad", {})), refusedWith(422, /spec.size: Required value/));
    const pruned = await client.create(things(), thing("pruned", { size: 1, extra: true }));
    assert.deepEqual(pruned.spec, { size: 1, colour: "blue" });
  });

  it("are one object in every version", async () => {
    const beta = await client.get(things("v1beta1"), "first", "default");
    assert.equal(beta.apiVersion, "example.com/v1beta1");
    await client.update(things("v1beta1"), { ...beta, spec: { size: 5 } });
    const stable = await client.get(things(), "first", "default");
    assert.deepEqual([stable.apiVersion, (stable.spec as { size: number }).size], ["example.com/v1", 5]);
    await assert.rejects(client.get(things("v2"), "first", "default"), refusedWith(404, /could not find/));
  });

  it("need a resourceVersion to be replaced, and take no strategic merge", async () => {
    await assert.rejects(
      client.update(things(), thing("first", { size: 2 })),
      refusedWith(422, /must be specified for an update/),
    );
    const target = { name: "first", namespace: "default" };
    await assert.rejects(
      client.patch(things(), target, "strategic-merge", {}),
      refusedWith(415, /strategic-merge-patch/),
    );
    assert.deepEqual(
      ((await client.patch(things(), target, "merge", { spec: { size: 3 } })).spec as { size: number }).size,
      3,
    );
  });

  it("have status and scale as their definition says", async () => {
    const current = await client.get(things(), "first", "default");
    const reported = await client.updateStatus(things(), {
      ...current,
      spec: { size: 99 },
      status: { ready: true, replicas: 2 },
    });
    assert.deepEqual([(reported.spec as { size: number }).size, reported.status], [3, { ready: true, replicas: 2 }]);
    const path = "/apis/example.com/v1/namespaces/default/things/first/scale";
    const scale = {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "first", namespace: "default" },
      spec: { replicas: 4 },
    };
    const headers = { "content-type": "application/json" };
    const scaled = await client.json<{ spec: object; status: object }>({
      method: "PUT",
      path,
      body: JSON.stringify(scale),
      headers,
    });
    assert.deepEqual([scaled.spec, scaled.status], [{ replicas: 4 }, { replicas: 2 }]);
    const after = await client.get(things(), "first", "default");
    assert.deepEqual(
      [(after.spec as { replicas: number }).replicas, after.metadata.generation],
      [4, (current.metadata.generation ?? 0) + 1],
    );
  });

  it("are scaled where they are themselves, whatever path their definition names", async () => {
    const odd = definition("oddities", "Oddity");
    const scale = { specReplicasPath: ".spec.__proto__.polluted", statusReplicasPath: ".status.replicas" };
    for (const version of odd.spec.versions) Object.assign(version, { subresources: { status: {}, scale } });
    await client.create(crds, odd);
    const oddities = { ...things("v1", "oddities"), kind: "Oddity" };
    await client.create(oddities, { ...thing("odd", { size: 1 }), kind: "Oddity" });
    const body = JSON.stringify({ metadata: { name: "odd" }, spec: { replicas: 4 } });
    const path = "/apis/example.com/v1/namespaces/default/oddities/odd/scale";
    await client.json({ method: "PUT", path, body, headers: { "content-type": "application/json" } });
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    await client.delete(crds, "oddities.example.com");
  });

  it("go with their definition; one that is held holds it", async () => {
    await client.create(crds, definition("others", "Other"));
    const others = { ...things("v1", "others"), kind: "Other" };
    const other = (name: string, metadata: object = {}): KubeObject => ({
      apiVersion: "example.com/v1",
      kind: "Other",
      metadata: { name, namespace: "default", ...metadata },
      spec: { size: 1 },
    });
    await client.create(others, other("free"));
    await client.create(others, other("held", { finalizers: ["example.com/hold"] }));
    await client.delete(crds, "others.example.com");
    const terminating = await client.get(crds, "others.example.com");
    assert.deepEqual(terminating.metadata.finalizers, ["customresourcecleanup.apiextensions.k8s.io"]);
    await assert.rejects(client.get(others, "free", "default"), refusedWith(404));
    const stop = new AbortController();
    const watching = (async () => {
      const events = client.watch(crds, {
        resourceVersion: terminating.metadata.resourceVersion ?? "",
        signal: stop.signal,
      });
      for await (const { type, object } of events) if (type === "DELETED") return object.metadata.name;
      return undefined;
    })();
    await client.patch(others, { name: "held", namespace: "default" }, "merge", { metadata: { finalizers: null } });
    assert.equal(await watching, "others.example.com");
    stop.abort();
    await assert.rejects(client.list(others), refusedWith(404, /could not find/));
  });
});

it("definitions and their objects are there again after a restart", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-crd-"));
  const statePath = join(directory, "state.db");
  const first = await startTestServer({ statePath });
  const writer = await first.client();
  await writer.create(crds, definition());
  await writer.create(things(), thing("kept", { size: 2 }));
  await first.close();
  const second = await startTestServer({ statePath });
  const reader = await second.client();
  assert.deepEqual(
    (await reader.list(things("v1beta1"))).items.map(({ metadata }) => metadata.name),
    ["kept"],
  );
  await second.close();
  rmSync(directory, { recursive: true });
});
