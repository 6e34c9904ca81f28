import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { mayRepeat, validateSchema, validateSchemaChange } from "./validate.ts";

/** `field: reason: message` of each cause, for a value at `spec.x`. */
function faults(schema: Schema, value: unknown): string[] {
  return validateSchema(
    { type: "object", properties: { spec: { type: "object", properties: { x: schema } } } },
    { spec: { x: value } },
  ).map(({ field, reason, message }) => `${field}: ${reason}: ${message}`);
}

const string: Schema = { type: "string" };
const integer: Schema = { type: "integer" };

test("valid values have no causes", () => {
  const cases: [Schema, unknown][] = [
    [string, ""],
    [integer, 3],
    [integer, 3.0],
    [{ type: "number" }, 3],
    [{ type: "number" }, 3.5],
    [{ type: "boolean" }, false],
    [{ type: "array", items: string }, ["a"]],
    [{ type: "object", additionalProperties: string }, { a: "b" }],
    [{ type: "string", nullable: true }, null],
    [{}, null],
    [{ "x-kubernetes-int-or-string": true }, 8080],
    [{ "x-kubernetes-int-or-string": true }, "http"],
    [{ type: "string", enum: ["A", "B"] }, "B"],
    [{ type: "string", pattern: "^[a-z]+$" }, "abc"],
    [{ type: "string", maxLength: 2 }, "😀😀"],
    [{ type: "number", multipleOf: 0.1 }, 0.3],
    [{ type: "string", format: "made-up" }, "anything"],
    [{ type: "array", items: string, "x-kubernetes-list-type": "set" }, ["a", "b"]],
    [{ type: "array", items: string, "x-kubernetes-list-type": "atomic" }, ["a", "a"]],
  ];
  for (const [schema, value] of cases) assert.deepEqual(faults(schema, value), [], JSON.stringify([schema, value]));
});

test("faults are worded as Kubernetes words them", () => {
  const cases: [Schema, unknown, string][] = [
    [
      integer,
      "3",
      'spec.x: FieldValueTypeInvalid: Invalid value: "string": spec.x in body must be of type integer: "string"',
    ],
    [
      integer,
      3.5,
      'spec.x: FieldValueTypeInvalid: Invalid value: "number": spec.x in body must be of type integer: "number"',
    ],
    [
      string,
      null,
      'spec.x: FieldValueTypeInvalid: Invalid value: "null": spec.x in body must be of type string: "null"',
    ],
    [
      string,
      ["a"],
      'spec.x: FieldValueTypeInvalid: Invalid value: "array": spec.x in body must be of type string: "array"',
    ],
    [
      { type: "object" },
      "a",
      'spec.x: FieldValueTypeInvalid: Invalid value: "string": spec.x in body must be of type object: "string"',
    ],
    [
      { "x-kubernetes-int-or-string": true },
      1.5,
      'spec.x: FieldValueTypeInvalid: Invalid value: "number": spec.x in body must be of type integer,string: "number"',
    ],
    [
      { type: "string", enum: ["A", "B"] },
      "x",
      'spec.x: FieldValueNotSupported: Unsupported value: "x": supported values: "A", "B"',
    ],
    [
      { type: "string", pattern: "^[a-z]+$" },
      "A1",
      "spec.x: FieldValueInvalid: Invalid value: \"A1\": spec.x in body should match '^[a-z]+$'",
    ],
    [
      { type: "string", minLength: 2 },
      "a",
      'spec.x: FieldValueInvalid: Invalid value: "a": spec.x in body should be at least 2 chars long',
    ],
    [{ type: "string", maxLength: 3 }, "long", "spec.x: FieldValueTooLong: Too long: may not be more than 3 bytes"],
    [
      { type: "integer", minimum: 1 },
      0,
      "spec.x: FieldValueInvalid: Invalid value: 0: spec.x in body should be greater than or equal to 1",
    ],
    [
      { type: "integer", maximum: 9 },
      10,
      "spec.x: FieldValueInvalid: Invalid value: 10: spec.x in body should be less than or equal to 9",
    ],
    [
      { type: "integer", minimum: 1, exclusiveMinimum: true },
      1,
      "spec.x: FieldValueInvalid: Invalid value: 1: spec.x in body should be greater than 1",
    ],
    [
      { type: "integer", maximum: 1, exclusiveMaximum: true },
      1,
      "spec.x: FieldValueInvalid: Invalid value: 1: spec.x in body should be less than 1",
    ],
    [
      { type: "integer", multipleOf: 2 },
      3,
      "spec.x: FieldValueInvalid: Invalid value: 3: spec.x in body should be a multiple of 2",
    ],
    [
      { type: "integer", format: "int32" },
      2 ** 31,
      "spec.x: FieldValueInvalid: Invalid value: 2147483648: Checked value must be of type integer with format int32 in spec.x",
    ],
    [
      { type: "array", items: string, maxItems: 1 },
      ["a", "b"],
      "spec.x: FieldValueTooMany: Too many: 2: must have at most 1 item",
    ],
    [
      { type: "array", items: string, minItems: 1 },
      [],
      "spec.x: FieldValueInvalid: Invalid value: 0: spec.x in body should have at least 1 items",
    ],
    [
      { type: "object", minProperties: 1 },
      {},
      "spec.x: FieldValueInvalid: Invalid value: 0: spec.x in body should have at least 1 properties",
    ],
    [
      { type: "object", maxProperties: 1 },
      { a: 1, b: 2 },
      "spec.x: FieldValueTooMany: Too many: 2: must have at most 1 item",
    ],
    [{ type: "object", required: ["name"] }, {}, "spec.x.name: FieldValueRequired: Required value"],
    [
      { type: "array", items: { type: "object", required: ["name"] } },
      [{ name: "a" }, {}],
      "spec.x[1].name: FieldValueRequired: Required value",
    ],
    [
      { type: "object", additionalProperties: integer },
      { a: "b" },
      'spec.x.a: FieldValueTypeInvalid: Invalid value: "string": spec.x.a in body must be of type integer: "string"',
    ],
    [
      { type: "string", format: "date-time" },
      "today",
      'spec.x: FieldValueTypeInvalid: Invalid value: "today": spec.x in body must be of type date-time: "today"',
    ],
    [
      { type: "array", items: string, "x-kubernetes-list-type": "set" },
      ["a", "b", "a", "a"],
      'spec.x[2]: FieldValueDuplicate: Duplicate value: "a"',
    ],
    [
      { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"] },
      [
        { port: 80, protocol: "TCP", name: "a" },
        { port: 80, protocol: "UDP" },
        { protocol: "TCP", port: 80 },
      ],
      'spec.x[2]: FieldValueDuplicate: Duplicate value: {"port":80,"protocol":"TCP"}',
    ],
    [
      { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
      { apiVersion: "v1" },
      "spec.x.kind: FieldValueRequired: Required value: must not be empty",
    ],
    [
      { type: "object", properties: {}, additionalProperties: false },
      { a: 1 },
      'spec.x: FieldValueInvalid: Invalid value: "": spec.x.a in body is a forbidden property',
    ],
  ];
  for (const [schema, value, fault] of cases) assert.deepEqual(faults(schema, value), [fault], JSON.stringify(schema));
});

test("combinations tell which rule failed", () => {
  const one: Schema = { required: ["a"] };
  const other: Schema = { required: ["b"] };
  const object = (extra: Schema): Schema => ({ type: "object", ...extra });
  const first = (schema: Schema, value: unknown): string | undefined => faults(object(schema), value)[0];
  assert.deepEqual(faults(object({ oneOf: [one, other] }), { a: 1 }), []);
  assert.deepEqual(faults(object({ anyOf: [one, other] }), { a: 1, b: 1 }), []);
  assert.deepEqual(faults(object({ allOf: [one, other] }), { a: 1, b: 1 }), []);
  assert.deepEqual(faults(object({ not: one }), { b: 1 }), []);
  assert.equal(
    first({ oneOf: [one, other] }, { a: 1, b: 1 }),
    '<nil>: FieldValueInvalid: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  );
  assert.equal(
    first({ oneOf: [one, other] }, {}),
    '<nil>: FieldValueInvalid: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid',
  );
  assert.equal(
    first({ anyOf: [one, other] }, {}),
    '<nil>: FieldValueInvalid: Invalid value: "": "spec.x" must validate at least one schema (anyOf)',
  );
  assert.equal(first({ allOf: [one, other] }, { a: 1 }), "spec.x.b: FieldValueRequired: Required value");
  assert.equal(
    first({ not: one }, { a: 1 }),
    '<nil>: FieldValueInvalid: Invalid value: "": "spec.x" must not validate the schema (not)',
  );
});

test("lists may be let repeat, and a schema cannot ask for it", () => {
  const list = (): Schema => ({
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
  });
  const value = [{ name: "a" }, { name: "a" }];
  assert.deepEqual(faults(mayRepeat(list()), value), []);
  assert.equal(faults({ ...list(), uniqueItems: false }, value).length, 1);
});

test("names that objects inherit are no fields", () => {
  const schema: Schema = { type: "object", properties: { a: string }, required: ["toString"] };
  assert.deepEqual(
    validateSchema(schema, {}).map(({ field }) => field),
    ["toString"],
  );
  assert.deepEqual(validateSchema({ type: "object", properties: {} }, JSON.parse('{"constructor":1}')), []);
});

test("of a change what stayed as it was is neither held against it nor looked at, and what is new is", () => {
  const strict: Schema = { type: "string", enum: ["A"] };
  const schema: Schema = {
    type: "object",
    properties: {
      spec: { type: "object", properties: { x: strict } },
      status: { type: "object", properties: { x: strict } },
    },
  };
  const fields = (value: unknown, old: unknown): (string | undefined)[] =>
    validateSchemaChange(schema, value, old).map(({ field }) => field);
  const spec = { x: "B" };
  assert.deepEqual(fields({ spec, status: { x: "A" } }, { spec }), []);
  assert.deepEqual(fields({ spec, status: { x: "C" } }, { spec, status: { x: "A" } }), ["status.x"]);
  assert.deepEqual(fields({ spec: { x: "C" } }, { spec }), ["spec.x"]);
  let looks = 0;
  const watched = Object.defineProperty({}, "x", { enumerable: true, get: () => (looks++, "A") });
  assert.deepEqual(fields({ spec: watched, status: { x: "A" } }, { spec: watched }), []);
  assert.equal(looks, 0);
  assert.deepEqual(fields({ spec: watched }, {}), []);
  assert.notEqual(looks, 0);
});
