// Rules in definitions: they have to compile where they stand.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema, ValidationRule } from "@gatehouse/apimachinery/schema";
import { crd } from "../crd/crd.fixture.ts";
import { validateCrd } from "../crd/validate-crd.ts";
import { validateCrdRules } from "./validate-crd-rules.ts";

const text: Schema = { type: "string" };

function faults(rule: ValidationRule, where: "root" | "spec" | "item" | "entry" = "spec"): string[] {
  const rules = (at: typeof where): Schema => (at === where ? { "x-kubernetes-validations": [rule] } : {});
  const list: Schema = { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] };
  const item: Schema = { type: "object", properties: { name: text } };
  const schema: Schema = {
    type: "object",
    ...rules("root"),
    properties: {
      spec: {
        type: "object",
        ...rules("spec"),
        properties: {
          name: text,
          anything: { "x-kubernetes-preserve-unknown-fields": true },
          list: { type: "array", items: { ...item, ...rules("item") } },
          entries: { type: "array", ...list, items: { ...item, ...rules("entry") } },
        },
      },
    },
  };
  return validateCrdRules(schema, "s").map(({ field, message }) => `${field}: ${message}`);
}

const at = "s.properties[spec].x-kubernetes-validations[0]";

test("good rules have no faults", () => {
  assert.deepEqual(faults({ rule: "self.name != ''", message: "m", fieldPath: ".name" }), []);
  assert.deepEqual(faults({ rule: "self.metadata.name == self.spec.name" }, "root"), []);
  assert.deepEqual(faults({ rule: "self == oldSelf", messageExpression: "self.name" }), []);
  assert.deepEqual(faults({ rule: "self == oldSelf" }, "entry"), []);
  assert.deepEqual(faults({ rule: "!oldSelf.hasValue()", optionalOldSelf: true }, "item"), []);
});

test("wrong rules are named, with their place", () => {
  const wrong: [rule: ValidationRule, fault: string | RegExp][] = [
    [{ rule: " " }, `${at}.rule: Required value: rule is not specified`],
    [
      { rule: "self.nam == ''" },
      /^s\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value: "self\.nam == ''": compilation failed: ERROR: <input>:1:5: undefined field 'nam'/,
    ],
    [{ rule: "self.anything == 1" }, /undefined field 'anything'/],
    [{ rule: "self.metadata.name == ''" }, /undefined field 'metadata'/],
    [{ rule: "self.name" }, /must evaluate to a bool$/],
    [{ rule: "true", messageExpression: "1" }, /\.messageExpression: .*messageExpression must evaluate to a string/],
    [{ rule: "true", messageExpression: "self.x" }, /messageExpression compilation failed: ERROR/],
    [
      { rule: "true", messageExpression: " " },
      `${at}.messageExpression: Required value: messageExpression must be non-empty if specified`,
    ],
    [{ rule: "true", message: " " }, `${at}.message: Invalid value: " ": must be non-empty if specified`],
    [{ rule: "true", message: "a\nb" }, `${at}.message: Invalid value: "a\\nb": must not contain line breaks`],
    [
      { rule: "true\n&& true" },
      `${at}.message: Required value: message must be specified if rule contains line breaks`,
    ],
    [
      { rule: "true", reason: "Because" },
      /\.reason: Unsupported value: "Because": supported values: "FieldValueInvalid"/,
    ],
    [{ rule: "true", fieldPath: ".nowhere" }, `${at}.fieldPath: Invalid value: ".nowhere": must be a valid path`],
    [{ rule: "true", fieldPath: "name" }, `${at}.fieldPath: Invalid value: "name": must be a valid path`],
    [
      { rule: "true", optionalOldSelf: true },
      `${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
    ],
  ];
  for (const [rule, fault] of wrong) {
    const found = faults(rule);
    assert.equal(found.length, 1, `${JSON.stringify(rule)}: ${found.join("\n")}`);
    if (typeof fault === "string") assert.equal(found[0], fault);
    else assert.match(found[0] ?? "", fault);
  }
});

test("oldSelf needs values that have a predecessor", () => {
  const [fault = ""] = faults({ rule: "self == oldSelf" }, "item");
  assert.match(
    fault,
    /oldSelf cannot be used on the uncorrelatable portion of the schema within s\.properties\[spec\]\.properties\[list\]\.items$/,
  );
});

test("a definition with a wrong rule is refused, once for all versions that share it", () => {
  const broken = crd();
  for (const { schema } of broken.spec.versions) {
    schema.openAPIV3Schema["x-kubernetes-validations"] = [{ rule: "self.spec.replicas == 'x'" }];
  }
  const causes = validateCrd(broken);
  assert.deepEqual(
    causes.map(({ field }) => field),
    ["spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule"],
  );
  assert.match(causes[0]?.message ?? "", /found no matching overload for '_==_' applied to '\(int, string\)'/);
});

test("rules inside combinators are refused rather than ignored", () => {
  const hidden = crd();
  hidden.spec.versions[0].schema.openAPIV3Schema.allOf = [{ "x-kubernetes-validations": [{ rule: "true" }] }];
  assert.ok(validateCrd(hidden).some(({ field }) => field?.endsWith("allOf[0].x-kubernetes-validations")));
});
