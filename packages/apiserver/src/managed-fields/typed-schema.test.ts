// The list types and map keys of built-in kinds, as in Kubernetes' OpenAPI: what merging goes by.

import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInDefinitions } from "../kinds/built-in.ts";
import { formOf, isGranular, typedSchema, type TypedSchema } from "./typed-schema.ts";

const definitions = builtInDefinitions();

/** How the place at `path` merges: `leaf`, `map`, `atomic map`, `list`, `set` or its keys. */
function kindAt(kind: string, path: string): string {
  const definition = definitions.find(({ type }) => type.kind === kind);
  assert.ok(definition, kind);
  let schema: TypedSchema | undefined = typedSchema(definition.schema);
  for (const name of path.split(".")) {
    schema = name === "[]" ? schema?.items : schema?.field(name)?.schema;
    assert.ok(schema, `${kind} ${path}: no ${name}`);
  }
  if (schema.only === "map") return schema.atomicMap ? "atomic map" : "map";
  if (schema.only !== "list") return "leaf";
  if (schema.listType === "map") return schema.keys.join();
  return schema.listType === "set" ? "set" : "list";
}

const places: [kind: string, path: string, merges: string][] = [
  ["Pod", "metadata.labels", "map"],
  ["Pod", "metadata.finalizers", "set"],
  ["Pod", "metadata.ownerReferences", "uid"],
  ["Pod", "metadata.ownerReferences.[]", "atomic map"],
  ["Pod", "spec.containers", "name"],
  ["Pod", "spec.containers.[].env", "name"],
  ["Pod", "spec.containers.[].ports", "containerPort,protocol"],
  ["Pod", "spec.containers.[].volumeMounts", "mountPath"],
  ["Pod", "spec.containers.[].args", "list"],
  ["Pod", "spec.containers.[].resources.limits", "map"],
  ["Pod", "spec.containers.[].resources.limits.cpu", "leaf"],
  ["Pod", "spec.volumes", "name"],
  ["Pod", "spec.nodeSelector", "atomic map"],
  ["Pod", "spec.tolerations", "list"],
  ["Pod", "spec.hostAliases", "ip"],
  ["Pod", "spec.topologySpreadConstraints", "topologyKey,whenUnsatisfiable"],
  ["Pod", "status.conditions", "type"],
  ["Deployment", "spec.selector", "atomic map"],
  ["Deployment", "spec.template.spec.containers", "name"],
  ["Service", "spec.ports", "port,protocol"],
  ["Service", "spec.selector", "atomic map"],
  ["ConfigMap", "data", "map"],
  ["ControllerRevision", "data", "atomic map"],
  ["EndpointSlice", "endpoints", "list"],
  ["CustomResourceDefinition", "spec.versions", "list"],
];

test("built-in kinds merge as Kubernetes' do", () => {
  for (const [kind, path, merges] of places) assert.equal(kindAt(kind, path), merges, `${kind} ${path}`);
});

test("without a word of the schema maps are merged and lists are not", () => {
  const open = typedSchema({ type: "object", "x-kubernetes-preserve-unknown-fields": true });
  const inner = open.field("anything")?.schema as TypedSchema;
  assert.deepEqual([isGranular(inner, formOf(inner, {})), isGranular(inner, formOf(inner, []))], [true, false]);
  assert.equal(formOf(inner, null), "map");
  assert.equal(inner.field("deeper")?.declared, false);
});

test("a closed structure has no other fields", () => {
  const closed = typedSchema({ type: "object", properties: { a: { type: "string" } } });
  assert.deepEqual([closed.field("a")?.declared, closed.field("b")], [true, undefined]);
});
