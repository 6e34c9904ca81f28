import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { pruneUnknown } from "./prune.ts";

const known: Schema = { type: "object", properties: { a: { type: "string" } } };
const preserve = { "x-kubernetes-preserve-unknown-fields": true };

const cases: { name: string; schema: Schema; value: unknown; expected: unknown; dropped: string[] }[] = [
  {
    name: "unknown fields go, wherever they are",
    schema: {
      type: "object",
      properties: {
        spec: { type: "object", properties: { rules: { type: "array", items: known }, ...known.properties } },
      },
    },
    value: { spec: { a: "1", foo: 1, rules: [{ a: "1", bar: 1 }, { baz: {} }] }, other: 1 },
    expected: { spec: { a: "1", rules: [{ a: "1" }, {}] } },
    dropped: ["other", "spec.foo", "spec.rules[0].bar", "spec.rules[1].baz"],
  },
  {
    name: "apiVersion, kind and metadata of the root stay as they are",
    schema: { type: "object", properties: { metadata: known } },
    value: { apiVersion: "v1", kind: "K", metadata: { anything: 1 } },
    expected: { apiVersion: "v1", kind: "K", metadata: { anything: 1 } },
    dropped: [],
  },
  {
    name: "preserved fields keep what is unknown, but declared fields below are still pruned",
    schema: { type: "object", properties: { spec: { type: "object", ...preserve, properties: { known } } } },
    value: { spec: { free: { x: 1 }, known: { a: "1", b: 1 } } },
    expected: { spec: { free: { x: 1 }, known: { a: "1" } } },
    dropped: ["spec.known.b"],
  },
  {
    name: "additional properties are pruned by their schema",
    schema: { type: "object", properties: { map: { type: "object", additionalProperties: known } } },
    value: { map: { x: { a: "1", b: 1 } } },
    expected: { map: { x: { a: "1" } } },
    dropped: ["map.x.b"],
  },
  {
    name: "an embedded resource keeps its type, and of its metadata what metadata has",
    schema: { type: "object", properties: { template: { ...known, "x-kubernetes-embedded-resource": true } } },
    value: {
      template: { apiVersion: "v1", kind: "K", metadata: { name: "n", labels: { l: "" }, x: 1 }, a: "1", b: 1 },
    },
    expected: { template: { apiVersion: "v1", kind: "K", metadata: { name: "n", labels: { l: "" } }, a: "1" } },
    dropped: ["template.b", "template.metadata.x"],
  },
  {
    name: "inherited names are unknown fields like any other",
    schema: known,
    value: JSON.parse('{"a":"1","toString":1}') as unknown,
    expected: { a: "1" },
    dropped: ["toString"],
  },
];

for (const { name, schema, value, expected, dropped } of cases) {
  test(name, () => {
    const result = structuredClone(value);
    assert.deepEqual(pruneUnknown(schema, result), dropped);
    assert.deepEqual(result, expected);
  });
}
