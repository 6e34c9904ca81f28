import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { applyDefaults } from "../schema/default.ts";
import { pruneUnknown } from "../schema/prune.ts";
import { validateSchema } from "../schema/validate.ts";
import { definitionsOf } from "./definition.ts";
import { crd } from "./crd.fixture.ts";

mock.timers.enable({ apis: ["Date"], now: Date.parse("2024-05-01T12:00:00Z") });

const route = (fields: Record<string, unknown>): KubeObject => ({
  apiVersion: "demo.example.com/v1",
  kind: "Route",
  metadata: { name: "x", creationTimestamp: "2024-05-01T11:58:30Z" },
  ...fields,
});

function first() {
  const [definition] = definitionsOf(crd());
  assert.ok(definition);
  return definition;
}

test("each served version is a definition", () => {
  const definitions = definitionsOf(crd());
  assert.deepEqual(
    definitions.map(({ type }) => type),
    ["v1", "v1beta1"].map((version) => ({
      group: "demo.example.com",
      version,
      plural: "routes",
      kind: "Route",
      namespaced: true,
    })),
  );
  const [v1, v1beta1] = definitions;
  assert.deepEqual([v1?.singular, v1?.shortNames, v1?.categories], ["route", ["rt"], ["demo"]]);
  assert.deepEqual(v1?.subresources, {
    status: true,
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
  });
  assert.deepEqual(v1beta1?.subresources, {});
  const deprecation = "demo.example.com/v1beta1 Route is deprecated; use demo.example.com/v1 Route";
  assert.deepEqual([v1?.custom?.deprecation, v1beta1?.custom?.deprecation], [undefined, deprecation]);
});

test("columns show what their JSONPaths find", () => {
  const { columns } = first();
  const cells = (object: KubeObject): unknown[] => columns.map(({ cell }) => cell(object));
  assert.deepEqual(
    columns.map(({ name, type, priority }) => [name, type, priority]),
    [
      ["Name", "string", 0],
      ["Hostnames", "string", 0],
      ["Accepted", "string", 0],
      ["Replicas", "integer", 1],
      ["Open", "boolean", 0],
      ["Age", "date", 0],
    ],
  );
  const conditions = [
    { type: "Other", status: "False" },
    { type: "Accepted", status: "True" },
  ];
  assert.deepEqual(
    cells(route({ spec: { hostnames: ["a", "b"], replicas: 3, open: false }, status: { conditions } })),
    ["x", '["a","b"]', "True", 3, false, "90s"],
  );
  assert.deepEqual(cells({ ...route({ spec: { replicas: "many" } }), metadata: { name: "x" } }), [
    "x",
    null,
    null,
    null,
    null,
    null,
  ]);
});

test("without columns the age is shown", () => {
  const [, v1beta1] = definitionsOf(crd());
  assert.deepEqual(
    v1beta1?.columns.map(({ name, cell }) => [name, cell(route({}))]),
    [
      ["Name", "x"],
      ["Age", "90s"],
    ],
  );
});

test("the schema knows the fields every object has", () => {
  const { schema } = first();
  const object = route({ spec: { foo: 1 }, other: 1 });
  assert.deepEqual(pruneUnknown(schema, object), ["other", "spec.foo"]);
  applyDefaults(schema, object);
  assert.deepEqual(object["spec"], { replicas: 1 });
  assert.deepEqual(validateSchema(schema, object), []);
  assert.deepEqual(schema["x-kubernetes-group-version-kind"], [
    { group: "demo.example.com", version: "v1", kind: "Route" },
  ]);
  const long = { ...object, metadata: { name: "far-too-long" } };
  assert.deepEqual(
    validateSchema(schema, long).map(({ field }) => field),
    ["metadata.name"],
  );
});

test("selectable fields", () => {
  const select = first().selectableFields ?? {};
  assert.deepEqual(Object.keys(select), ["spec.open"]);
  assert.equal(select["spec.open"]?.(route({ spec: { open: true } })), "true");
  assert.equal(select["spec.open"]?.(route({})), "");
});
