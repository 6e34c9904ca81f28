import assert from "node:assert/strict";
import { test } from "node:test";
import { lastAppliedAnnotation } from "@gatehouse/apimachinery/meta";
import { lastAppliedFields } from "./last-applied.ts";
import { type Tree, typedSchema } from "./typed-schema.ts";

const open = { "x-kubernetes-preserve-unknown-fields": true } as const;
const schema = typedSchema({ type: "object", properties: { spec: open, metadata: open, apiVersion: {}, kind: {} } });
const fieldsBy = (text: string, spec: unknown) => {
  const live: Tree = {
    apiVersion: "v1",
    kind: "X",
    metadata: { annotations: { [lastAppliedAnnotation]: text } },
    spec,
  };
  return lastAppliedFields(schema, live, "v1");
};

test("what was applied and is still so is known from the annotation", () => {
  const text = '{"apiVersion":"v1","kind":"X","spec":{"a":1,"b":1}}';
  assert.deepEqual(fieldsBy(text, { a: 1, b: 2 })?.["f:spec"], { "f:a": {} });
});

test("an annotation that is no manifest says nothing, however deep it is", () => {
  const deep = `{"apiVersion":"v1","spec":${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}}`;
  for (const text of ["", "{", "[]", '{"apiVersion":"v2"}', deep]) {
    assert.equal(fieldsBy(text, {}), undefined, text.slice(0, 40));
  }
});
