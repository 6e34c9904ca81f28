// Definitions that want each other's names, and objects that are older than what their definition now asks (KEP-4008).

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { refusedWith, startTestServer, type TestServer } from "../testing.ts";

const crds: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};
const resource = (plural: string, version = "v1"): ResourceType => ({
  group: "example.com",
  version,
  plural,
  kind: "Thing",
  namespaced: false,
});

function definition(plural: string, kind: string, names: object = {}, spec: Schema = { type: "object" }): KubeObject {
  const version = { served: true, schema: { openAPIV3Schema: { type: "object", properties: { spec } } } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: "example.com",
      scope: "Cluster",
      names: { plural, kind, ...names },
      versions: [{ ...version, name: "v1", storage: true }],
    },
  };
}

let cluster: TestServer;
let client: ApiClient;
beforeEach(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
afterEach(() => cluster.close());

function conditions({ status }: KubeObject): string[] {
  const list = (status as { conditions: { type: string; status: string; reason: string; message: string }[] })
    .conditions;
  return list.map(({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`);
}

describe("names", () => {
  test("that another definition of the group has are not accepted, and nothing is served, until they are free", async () => {
    await client.create(crds, definition("things", "Thing", { shortNames: ["th"] }));
    const second = await client.create(crds, definition("others", "Other", { shortNames: ["th"] }));
    assert.deepEqual(conditions(second), [
      'NamesAccepted=False ShortNamesConflict: "th" is already in use',
      "Established=False NotAccepted: not all names are accepted",
    ]);
    await assert.rejects(client.list(resource("others")), refusedWith(404));
    const events = client.watch(crds, { fieldSelector: "metadata.name=others.example.com" });
    await client.delete(crds, "things.example.com");
    for await (const { object } of events) if (conditions(object)[1]?.startsWith("Established=True")) break;
    assert.deepEqual((await client.list(resource("others"))).items, []);
  });

  test("kinds count too; other groups do not", async () => {
    await client.create(crds, definition("things", "Thing"));
    const [names] = conditions(await client.create(crds, definition("stuff", "Thing")));
    assert.equal(names, 'NamesAccepted=False ListKindConflict: "ThingList" is already in use');
    const elsewhere = definition("things", "Thing");
    elsewhere.metadata.name = "things.other.example.com";
    (elsewhere["spec"] as { group: string }).group = "other.example.com";
    assert.equal(
      conditions(await client.create(crds, elsewhere))[0],
      "NamesAccepted=True NoConflicts: no conflicts found",
    );
  });

  test("of groups that are Kubernetes' own say who approved them", async () => {
    const own = definition("things", "Thing");
    own.metadata = { name: "things.x.k8s.io", annotations: { "api-approved.kubernetes.io": "https://example.com/1" } };
    (own["spec"] as { group: string }).group = "x.k8s.io";
    assert.ok(
      conditions(await client.create(crds, own)).includes(
        "KubernetesAPIApprovalPolicyConformant=True ApprovedAnnotation: approved in https://example.com/1",
      ),
    );
  });
});

describe("versions", () => {
  interface Definition extends KubeObject {
    spec: { versions: { name: string; served: boolean; storage: boolean; schema: object }[] };
    status?: { storedVersions: string[] };
  }
  const versions: ResourceType<Definition> = crds as ResourceType<Definition>;

  test("an object stored in an old version is served in the new one; the old one stays until nothing is stored in it", async () => {
    const first = definition("things", "Thing", {}, { type: "object", properties: { size: { type: "integer" } } });
    const created = await client.create(versions, first as Definition);
    const thing = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a" }, spec: { size: 1 } };
    await client.create(resource("things"), thing);
    const [v1] = created.spec.versions;
    assert.ok(v1);
    const both: Definition["spec"]["versions"] = [
      { ...v1, storage: false },
      { ...v1, name: "v2" },
    ];
    const widened = await client.update<Definition>(versions, {
      ...created,
      spec: { ...created.spec, versions: both },
    });
    assert.deepEqual(widened.status?.storedVersions, ["v1", "v2"]);
    const seen = await client.get(resource("things", "v2"), "a");
    assert.deepEqual([seen.apiVersion, seen.spec], ["example.com/v2", { size: 1 }]);
    await client.patch(resource("things", "v2"), { name: "a" }, "merge", { spec: { size: 2 } });
    assert.deepEqual((await client.get(resource("things"), "a")).spec, { size: 2 });
    const only = { ...widened, spec: { ...widened.spec, versions: both.slice(1) } };
    await assert.rejects(
      client.update(versions, only),
      refusedWith(422, /status\.storedVersions\[0\]: Invalid value: "v1": must appear in spec\.versions/),
    );
    const migrated = await client.updateStatus<Definition>(versions, {
      ...widened,
      status: { ...widened.status, storedVersions: ["v2"] },
    });
    await client.update(versions, { ...migrated, spec: only.spec });
    await assert.rejects(client.get(resource("things"), "a"), refusedWith(404));
    assert.deepEqual((await client.get(resource("things", "v2"), "a")).spec, { size: 2 });
  });
});

describe("an object that a stricter definition would refuse", () => {
  const thing = (spec: object): KubeObject => ({
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "a" },
    spec,
  });
  const open: Schema = { type: "object", properties: { name: { type: "string" }, size: { type: "integer" } } };
  const strict: Schema = {
    type: "object",
    required: ["colour"],
    properties: { name: { type: "string", maxLength: 3 }, size: { type: "integer" }, colour: { type: "string" } },
  };

  async function tighten(): Promise<void> {
    const current = await client.get(crds, "things.example.com");
    const wanted = definition("things", "Thing", {}, strict);
    await client.update(crds, { ...wanted, metadata: current.metadata });
  }

  test("may be changed elsewhere; what is touched has to be right", async () => {
    await client.create(crds, definition("things", "Thing", {}, open));
    await client.create(resource("things"), thing({ name: "longer", size: 1 }));
    await tighten();
    const patch = (change: object): Promise<KubeObject> =>
      client.patch(resource("things"), { name: "a" }, "merge", change);
    await patch({ metadata: { labels: { a: "b" } } });
    // The object around the missing field is touched now, and the name is not.
    await assert.rejects(patch({ spec: { size: 2 } }), refusedWith(422, /spec\.colour: Required value$/));
    await patch({ spec: { size: 2, colour: "red" } });
    await assert.rejects(patch({ spec: { name: "other" } }), refusedWith(422, /spec\.name: Too long/));
    await assert.rejects(
      client.create(resource("things"), { ...thing({}), metadata: { name: "b" } }),
      refusedWith(422),
    );
  });
});
