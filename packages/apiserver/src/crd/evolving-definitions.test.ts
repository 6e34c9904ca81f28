// What becomes of custom objects when their definition changes, and between the versions of one definition.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeList, KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { startTestServer, type TestServer } from "../testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

/** Sends `body` as JSON (or as the patch of `type`) and resolves with the answer. */
function send(method: string, path: string, body?: unknown, type = "application/json"): Promise<KubeObject> {
  const headers = { "content-type": type };
  return client.json({ method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const text: Schema = { type: "string" };

interface Version {
  name: string;
  storage?: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  fields: Record<string, Schema>;
}

function define(plural: string, versions: Version[]): Promise<KubeObject> {
  const spec = {
    group: "evolve.example",
    scope: "Namespaced",
    names: { plural, kind: plural },
    versions: versions.map(({ fields, storage = false, ...version }) => ({
      ...version,
      served: true,
      storage,
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: fields } } },
      },
    })),
  };
  return send("POST", crds, { metadata: { name: `${plural}.evolve.example` }, spec });
}

const at = (plural: string, version: string, name = ""): string =>
  `/apis/evolve.example/${version}/namespaces/default/${plural}${name && `/${name}`}`;
const create = (plural: string, version: string, name: string, spec: object): Promise<KubeObject> =>
  send("POST", at(plural, version), {
    apiVersion: `evolve.example/${version}`,
    kind: plural,
    metadata: { name },
    spec,
  });
const read = (path: string): Promise<KubeObject> => send("GET", path);

describe("a definition that changes", () => {
  before(async () => {
    await define("changes", [{ name: "v1", storage: true, fields: { a: text, b: text } }]);
    await create("changes", "v1", "old", { a: "1", b: "2" });
    const value = { a: text, c: { type: "string", default: "new" }, n: { type: "integer" } };
    await send(
      "PATCH",
      `${crds}/changes.evolve.example`,
      [{ op: "replace", path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties", value }],
      "application/json-patch+json",
    );
  });

  it("shows what was stored without the fields that went, with the defaults that came", async () => {
    const expected = { a: "1", c: "new" };
    assert.deepEqual((await read(at("changes", "v1", "old")))["spec"], expected);
    const { items } = (await send("GET", at("changes", "v1"))) as unknown as KubeList;
    assert.deepEqual(items[0]?.["spec"], expected);
  });

  it("is no change of the objects: a label moves no generation, and nobody is told of unknown fields", async () => {
    const path = at("changes", "v1", "old");
    const merge = "application/merge-patch+json";
    const labels = { metadata: { labels: { a: "b" } } };
    const labelled = await send("PATCH", `${path}?fieldValidation=Strict`, labels, merge);
    assert.deepEqual([labelled.metadata.generation, labelled["spec"]], [1, { a: "1", c: "new" }]);
    const changed = await send("PATCH", path, { spec: { n: 1 } }, merge);
    assert.equal(changed.metadata.generation, 2);
  });
});

describe("versions of one definition", () => {
  before(async () => {
    await define("versions", [
      { name: "v1", storage: true, fields: { a: text } },
      { name: "v1beta1", deprecated: true, fields: { a: text, b: text } },
      { name: "v1alpha1", deprecated: true, deprecationWarning: "use another", fields: { a: text } },
    ]);
  });

  it("keep what the version they are stored in has", async () => {
    const made = await create("versions", "v1beta1", "both", { a: "1", b: "2" });
    assert.deepEqual([made.apiVersion, made["spec"]], ["evolve.example/v1beta1", { a: "1" }]);
    for (const version of ["v1", "v1beta1"]) {
      assert.deepEqual((await read(at("versions", version, "both")))["spec"], { a: "1" }, version);
    }
  });

  it("warn with every answer when they are deprecated, of reads and watches too", async () => {
    const warning = async (version: string, query = ""): Promise<unknown> => {
      const response = await client.stream({ method: "GET", path: `${at("versions", version)}${query}` });
      response.destroy();
      return response.headers["warning"];
    };
    const words = "evolve.example/v1beta1 versions is deprecated; use evolve.example/v1 versions";
    assert.equal(await warning("v1beta1"), `299 - "${words}"`);
    assert.equal(await warning("v1beta1", "?watch=1"), `299 - "${words}"`);
    assert.equal(await warning("v1alpha1"), '299 - "use another"');
    assert.equal(await warning("v1"), undefined);
  });
});

describe("a custom object", () => {
  before(() => define("strays", [{ name: "v1", storage: true, fields: { a: text } }]));
  const post = (body: object): Promise<KubeObject> => send("POST", at("strays", "v1"), body);

  it("says what it is: without kind or apiVersion it is refused", async () => {
    const apiVersion = "evolve.example/v1";
    await assert.rejects(post({ apiVersion, metadata: { name: "x" } }), /Object 'Kind' is missing/);
    await assert.rejects(
      post({ kind: "strays", metadata: { name: "x" } }),
      /the API version in the data \(\) does not match the expected API version \(evolve\.example\/v1\)/,
    );
  });
});
