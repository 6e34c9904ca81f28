// Rules on objects: at every level of a schema, on creation and change, with their words, their reasons and their budget.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Schema, ValidationRule } from "@gatehouse/apimachinery/schema";
import { validateRules } from "./rules.ts";

const text: Schema = { type: "string" };
const integer: Schema = { type: "integer" };

/** `schema` with rules. */
function ruled(schema: Schema, ...rules: (string | ValidationRule)[]): Schema {
  const list = rules.map((rule) => (typeof rule === "string" ? { rule } : rule));
  return { ...schema, "x-kubernetes-validations": list };
}

const objectOf = (properties: Record<string, Schema>): Schema => ({ type: "object", properties });

/** The causes as `field: message`. */
function faults(schema: Schema, value: unknown, old?: unknown): string[] {
  return validateRules(schema, value, old).map(({ field, message }) => `${field}: ${message}`);
}

describe("where rules stand", () => {
  const schema = objectOf({
    spec: ruled(
      objectOf({
        size: ruled(integer, { rule: "self > 0", message: "too small" }),
        hosts: { type: "array", items: ruled(text, "self.startsWith('a')") },
        labels: { type: "object", additionalProperties: ruled(text, "self != ''") },
      }),
      { rule: "self.size <= self.hosts.size()", message: "  not enough hosts " },
    ),
  });

  test("objects, fields, list items and map values are each judged by theirs", () => {
    assert.deepEqual(faults(schema, { spec: { size: 1, hosts: ["a1"], labels: { a: "x" } } }), []);
    assert.deepEqual(faults(schema, { spec: { size: 0, hosts: ["a", "b"], labels: { "x/y": "" } } }), [
      'spec.size: Invalid value: "integer": too small',
      "spec.hosts[1]: Invalid value: \"string\": failed rule: self.startsWith('a')",
      "spec.labels[x/y]: Invalid value: \"string\": failed rule: self != ''",
    ]);
    assert.deepEqual(faults(schema, { spec: { size: 2, hosts: ["a"] } }), [
      'spec: Invalid value: "object": not enough hosts',
    ]);
  });

  test("what is absent or null is not judged", () => {
    assert.deepEqual(faults(schema, {}), []);
    assert.deepEqual(faults(schema, { spec: null }), []);
  });

  test("at the root, metadata has a name and nothing else", () => {
    const root = ruled(
      { ...objectOf({ spec: objectOf({ name: text }) }), "x-kubernetes-group-version-kind": [] },
      "self.metadata.name == self.spec.name && self.kind == 'Thing' && self.apiVersion == 'v1'",
    );
    const thing = { apiVersion: "v1", kind: "Thing", metadata: { name: "a", labels: {} }, spec: { name: "a" } };
    assert.deepEqual(faults(root, thing), []);
    assert.equal(faults(root, { ...thing, metadata: { name: "b" } }).length, 1);
  });

  test("an error refuses the value, in the words of the API server", () => {
    assert.deepEqual(faults(schema, { spec: { size: 1 } }), [
      'spec: Invalid value: "object": no such key: hosts evaluating rule: not enough hosts',
    ]);
    const open = objectOf({ port: ruled({ "x-kubernetes-int-or-string": true }, "self < 10") });
    assert.deepEqual(faults(open, { port: 9 }), []);
    assert.deepEqual(faults(open, { port: "x" }), [
      "port: Invalid value: \"\": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self < 10",
    ]);
  });

  test("objects without their schema's form are not judged at all", () => {
    const known = { reason: "FieldValueRequired", message: "Required value", field: "spec.size" };
    assert.deepEqual(
      validateRules(schema, { spec: { hosts: ["b"] } }, undefined, [known]).map(({ field, message }) => [
        field,
        message,
      ]),
      [
        [
          "<nil>",
          'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
        ],
      ],
    );
    assert.deepEqual(validateRules(objectOf({}), {}, undefined, [known]), []);
  });
});

describe("the words of a refusal", () => {
  const cause = (rule: Partial<ValidationRule>, value: unknown = { name: "x" }): object | undefined =>
    validateRules(
      ruled(objectOf({ name: text, "a.b": text, map: { type: "object", additionalProperties: text } }), {
        rule: "self.name == 'ok'",
        ...rule,
      }),
      value,
      undefined,
    )[0];

  test("messageExpression speaks, and message when it cannot", () => {
    const message = (rule: Partial<ValidationRule>): unknown => (cause(rule) as { message: string }).message;
    const fixed = 'Invalid value: "object": fixed';
    assert.equal(
      message({ messageExpression: "'bad name ' + self.name", message: "fixed" }),
      'Invalid value: "object": bad name x',
    );
    assert.equal(message({ messageExpression: "self.map['x']", message: "fixed" }), fixed);
    assert.equal(message({ messageExpression: "' '", message: "fixed" }), fixed);
    assert.equal(message({ messageExpression: "'a\\nb'", message: "fixed" }), fixed);
    assert.equal(
      message({ messageExpression: "self.map['x']" }),
      "Invalid value: \"object\": failed rule: self.name == 'ok'",
    );
  });

  test("reasons and field paths", () => {
    const message = "no";
    assert.deepEqual(cause({ message, reason: "FieldValueForbidden", fieldPath: ".name" }), {
      reason: "FieldValueForbidden",
      message: "Forbidden: no",
      field: "name",
    });
    assert.deepEqual(cause({ message, reason: "FieldValueRequired", fieldPath: ".map['x.y']" }), {
      reason: "FieldValueRequired",
      message: "Required value: no",
      field: "map[x.y]",
    });
    assert.deepEqual(cause({ message, reason: "FieldValueDuplicate" }), {
      reason: "FieldValueDuplicate",
      message: 'Duplicate value: "object"',
      field: "",
    });
    assert.deepEqual(cause({ message, fieldPath: "['a.b']" }), {
      reason: "FieldValueInvalid",
      message: 'Invalid value: "object": no',
      field: "a.b",
    });
    assert.equal(cause({ message }, { name: "ok" }), undefined);
  });
});

describe("changes", () => {
  const immutable = objectOf({
    spec: objectOf({ name: ruled(text, { rule: "self == oldSelf", message: "immutable" }) }),
  });

  test("a rule with oldSelf applies where there is an old value", () => {
    assert.deepEqual(faults(immutable, { spec: { name: "a" } }), []);
    assert.deepEqual(faults(immutable, { spec: { name: "a" } }, {}), []);
    assert.deepEqual(faults(immutable, { spec: { name: "a" } }, { spec: { name: "a" } }), []);
    assert.deepEqual(faults(immutable, { spec: { name: "b" } }, { spec: { name: "a" } }), [
      'spec.name: Invalid value: "string": immutable',
    ]);
  });

  test("optionalOldSelf makes it apply always", () => {
    const rule = { rule: "!oldSelf.hasValue() || oldSelf.value() <= self", optionalOldSelf: true };
    const schema = objectOf({ size: ruled(integer, rule) });
    assert.deepEqual(faults(schema, { size: 1 }), []);
    assert.deepEqual(faults(schema, { size: 2 }, { size: 1 }), []);
    assert.equal(faults(schema, { size: 1 }, { size: 2 }).length, 1);
    const strict = objectOf({ size: ruled(integer, { rule: "oldSelf.hasValue()", optionalOldSelf: true }) });
    assert.equal(faults(strict, { size: 1 }).length, 1);
  });

  test("items of maps are compared with those of their key, wherever they stand", () => {
    const items = objectOf({ name: text, port: ruled(integer, "self >= oldSelf") });
    const keyed: Schema = {
      type: "array",
      items,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    };
    const before = [
      { name: "a", port: 1 },
      { name: "b", port: 5 },
    ];
    const after = (b: number): unknown => [
      { name: "b", port: b },
      { name: "new", port: 0 },
      { name: "a", port: 1 },
    ];
    assert.deepEqual(faults(keyed, after(5), before), []);
    assert.deepEqual(faults(keyed, after(4), before), [
      '[0].port: Invalid value: "integer": failed rule: self >= oldSelf',
    ]);
    const whole = ruled({ ...keyed, items: objectOf({ name: text, port: integer }) }, "self == oldSelf");
    assert.deepEqual(faults(whole, before.toReversed(), before), []);
    assert.equal(faults(whole, after(5), before).length, 1);
  });

  test("what did not change is not held to rules it breaks; what did is", () => {
    const schema = objectOf({
      spec: ruled(objectOf({ name: ruled(text, "self == self.lowerAscii()"), size: integer }), "self.size < 5"),
      list: { type: "array", items: ruled(text, "self != 'bad'") },
      status: ruled(objectOf({ ready: { type: "boolean" } }), "self.ready"),
    });
    const old = { spec: { name: "UPPER", size: 9 }, list: ["bad"], status: { ready: true } };
    assert.deepEqual(faults(schema, structuredClone(old), old), []);
    assert.deepEqual(faults(schema, { ...old, spec: { name: "UPPER", size: 3 } }, old), []);
    assert.equal(faults(schema, { ...old, spec: { name: "OTHER", size: 3 } }, old).length, 1);
    assert.deepEqual(faults(schema, { ...old, status: { ready: false } }, old), [
      'status: Invalid value: "object": failed rule: self.ready',
    ]);
    // Items of plain lists have no predecessor, so a list that changed is judged as a whole.
    assert.deepEqual(faults(schema, { ...old, list: ["bad", "x"] }, old), [
      "list[0]: Invalid value: \"string\": failed rule: self != 'bad'",
    ]);
  });
});

describe("the budget of a write", () => {
  const long = Array.from({ length: 300 }, (_, index) => index);
  const cubic = "self.all(a, self.all(b, self.all(c, a + b + c >= 0)))";

  test("a rule that costs too much refuses the write and ends the checks", () => {
    const schema = objectOf({
      list: ruled({ type: "array", items: integer }, { rule: cubic, message: "slow" }),
      after: ruled(text, "false"),
    });
    assert.deepEqual(faults(schema, { list: long, after: "x" }), [
      "list: Invalid value: \"array\": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: slow",
    ]);
    assert.equal(faults(schema, { list: [1, 2], after: "x" }).length, 1);
  });

  test("many rules share one budget", () => {
    const square = "self.all(a, self.all(b, a + b >= 0))";
    const list = ruled(
      { type: "array", items: integer },
      ...Array.from({ length: 40 }, (_, index) => `${square} || ${index} < 0`),
    );
    const found = faults(objectOf({ list }), { list: long });
    assert.deepEqual(found, [
      'list: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run',
    ]);
  });
});

test("a stored rule that does not compile refuses writes and says why", () => {
  const [fault] = faults(objectOf({ name: ruled(text, "self ==") }), { name: "x" });
  assert.match(
    fault ?? "",
    /^name: Invalid value: "string": rule compile error: compilation failed: ERROR: <input>:1:8: /,
  );
});
