import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { applyDefaults } from "./default.ts";

const port: Schema = {
  type: "object",
  properties: { port: { type: "integer" }, protocol: { type: "string", default: "TCP" } },
};

const cases: { name: string; schema: Schema; value: unknown; expected: unknown }[] = [
  {
    name: "absent fields get their default, present ones keep their value",
    schema: {
      type: "object",
      properties: { a: { type: "string", default: "x" }, b: { type: "boolean", default: true } },
    },
    value: { b: false },
    expected: { a: "x", b: false },
  },
  {
    name: "nothing is created to hold a default",
    schema: { type: "object", properties: { spec: port } },
    value: {},
    expected: {},
  },
  {
    name: "a defaulted object gets the defaults of its own fields",
    schema: { type: "object", properties: { spec: { ...port, default: {} } } },
    value: {},
    expected: { spec: { protocol: "TCP" } },
  },
  {
    name: "items and additional properties are completed",
    schema: {
      type: "object",
      properties: { list: { type: "array", items: port }, map: { type: "object", additionalProperties: port } },
    },
    value: { list: [{ port: 1 }], map: { a: {} } },
    expected: { list: [{ port: 1, protocol: "TCP" }], map: { a: { protocol: "TCP" } } },
  },
  {
    name: "null is replaced by the default, dropped without one, and kept where it is allowed",
    schema: {
      type: "object",
      properties: {
        a: { type: "string", default: "x" },
        b: { type: "string" },
        c: { type: "string", nullable: true, default: "x" },
        d: { "x-kubernetes-preserve-unknown-fields": true },
      },
    },
    value: { a: null, b: null, c: null, d: null },
    expected: { a: "x", c: null, d: null },
  },
  {
    name: "null items become the items' default or stay for validation to refuse",
    schema: {
      type: "object",
      properties: {
        a: { type: "array", items: { type: "string", default: "x" } },
        b: { type: "array", items: { type: "string" } },
      },
    },
    value: { a: [null], b: [null] },
    expected: { a: ["x"], b: [null] },
  },
];

for (const { name, schema, value, expected } of cases) {
  test(name, () => {
    const result = structuredClone(value);
    applyDefaults(schema, result);
    assert.deepEqual(result, expected);
  });
}

test("a default is copied, so that objects do not share it", () => {
  const schema: Schema = {
    type: "object",
    properties: { a: { type: "array", items: { type: "string" }, default: ["x"] } },
  };
  const [one, two] = [{} as { a?: string[] }, {} as { a?: string[] }];
  applyDefaults(schema, one);
  applyDefaults(schema, two);
  one.a?.push("y");
  assert.deepEqual(two.a, ["x"]);
});
