import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { crd } from "./crd.fixture.ts";
import { crdStrategy } from "./strategy.ts";
import { validateCrd } from "./validate-crd.ts";

type Fixture = ReturnType<typeof crd>;

/** `field: message` of each cause after `change`. */
function faults(change: (fixture: Fixture) => void): string[] {
  const fixture = crd();
  change(fixture);
  return validateCrd(fixture).map(({ field, message }) => `${field}: ${message}`);
}

test("a good definition has no causes", () => {
  assert.deepEqual(
    faults(() => {}),
    [],
  );
});

test("names, versions, columns and scale paths are checked", () => {
  const at = "spec.versions[0]";
  const cases: [string, (fixture: Fixture) => void, RegExp][] = [
    [
      "name",
      (f) => (f.metadata.name = "other.demo.example.com"),
      /^metadata\.name: .*must be spec\.names\.plural\+"\."\+spec\.group/,
    ],
    [
      "group without a dot",
      (f) => ((f.spec.group = "demo"), (f.metadata.name = "routes.demo")),
      /^spec\.group: .*at least one dot/,
    ],
    ["kind", (f) => (f.spec.names["kind"] = "a b"), /^spec\.names\.kind: /],
    ["no kind", (f) => delete f.spec.names["kind"], /^spec\.names\.kind: Required value/],
    ["same list kind", (f) => (f.spec.names["listKind"] = "Route"), /^spec\.names\.listKind: /],
    ["short name", (f) => (f.spec.names["shortNames"] = ["A"]), /^spec\.names\.shortNames\[0\]: /],
    [
      "two storage versions",
      (f) => (f.spec.versions[1].storage = true),
      /^spec\.versions: .*exactly one version marked as storage version/,
    ],
    ["no storage version", (f) => (f.spec.versions[0].storage = false), /^spec\.versions: .*exactly one/],
    ["repeated version", (f) => (f.spec.versions[1].name = "v1"), /^spec\.versions\[1\]\.name: Duplicate value: "v1"/],
    [
      "no schema",
      (f) => (f.spec.versions[1]["schema"] = {} as never),
      /^spec\.versions\[1\]\.schema\.openAPIV3Schema: Required value/,
    ],
    [
      "column path",
      (f) => (f.spec.versions[0]["additionalPrinterColumns"] = [{ name: "A", type: "string", jsonPath: ".a[" }]),
      /jsonPath: .*unterminated/,
    ],
    [
      "column type",
      (f) => (f.spec.versions[0]["additionalPrinterColumns"] = [{ name: "A", type: "text", jsonPath: ".a" }]),
      /type: Unsupported value: "text"/,
    ],
    [
      "scale path",
      (f) =>
        (f.spec.versions[0]["subresources"] = {
          scale: { specReplicasPath: ".status.x", statusReplicasPath: ".status.replicas" },
        }),
      /subresources\.scale\.specReplicasPath: /,
    ],
    [
      "webhook",
      (f) => (f.spec["conversion"] = { strategy: "Webhook" }),
      /^spec\.conversion\.strategy: .*not served here/,
    ],
    ["preserve", (f) => (f.spec["preserveUnknownFields"] = true), /^spec\.preserveUnknownFields: /],
  ];
  for (const [name, change, expected] of cases) {
    const found = faults(change);
    assert.equal(found.length, 1, `${name}: ${JSON.stringify(found)}`);
    assert.match(found[0] ?? "", expected, `${name} (${at})`);
  }
});

test("schemas must be structural", () => {
  const cases: [string, Schema, RegExp | undefined][] = [
    [
      "int-or-string in the long form",
      { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      undefined,
    ],
    [
      "a combinator over declared fields",
      {
        type: "object",
        properties: { a: { type: "string" } },
        oneOf: [{ required: ["a"] }, { properties: { a: { pattern: "^x" } } }],
      },
      undefined,
    ],
    ["no type", { properties: { a: { type: "string" } } }, /properties\[x\]\.type: Required value/],
    ["unknown type", { type: "text" as never }, /type: Unsupported value: "text"/],
    ["list without items", { type: "array" }, /items: Required value/],
    [
      "properties and additionalProperties",
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "string" } },
      /mutual exclusive/,
    ],
    ["$ref", { type: "object", $ref: "#/x" } as Schema, /\$ref: Forbidden/],
    ["uniqueItems", { type: "array", items: { type: "string" }, uniqueItems: true }, /uniqueItems: Forbidden/],
    [
      "type inside a combinator",
      { type: "object", anyOf: [{ type: "object" }] },
      /anyOf\[0\]\.type: Forbidden: must be empty to be structural/,
    ],
    [
      "field only a combinator knows",
      { type: "object", anyOf: [{ properties: { a: { pattern: "x" } } }] },
      /properties\[x\]\.properties\[a\]: Required value: because it is defined in a combinator/,
    ],
    ["bad pattern", { type: "string", pattern: "(" }, /pattern: .*valid regular expression/],
    ["look-ahead", { type: "string", pattern: "(?=a)" }, /pattern: .*valid regular expression/],
    ["default of another type", { type: "string", default: 1 }, /default: .*must be of type string/],
    [
      "map without keys",
      { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map" },
      /list-map-keys: Required value/,
    ],
    [
      "map with foreign keys",
      {
        type: "array",
        items: { type: "object" },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a"],
      },
      /list-map-keys\[0\]: /,
    ],
    ["set of no list", { type: "string", "x-kubernetes-list-type": "set" }, /must be array/],
  ];
  for (const [name, schema, expected] of cases) {
    const found = faults(
      (f) => (f.spec.versions[0].schema.openAPIV3Schema = { type: "object", properties: { x: schema } }),
    );
    if (!expected) assert.deepEqual(found, [], name);
    else {
      assert.equal(found.length, 1, `${name}: ${JSON.stringify(found)}`);
      assert.match(found[0] ?? "", expected, name);
    }
  }
  assert.match(
    faults((f) => (f.spec.versions[0].schema.openAPIV3Schema = { type: "array", items: { type: "string" } }))[0] ?? "",
    /must be object at the root/,
  );
});

test("names are completed, and what objects depend on cannot change", () => {
  const created = crd();
  const context = { allocateClusterIP: () => "", allocateNodePort: () => 0 };
  crdStrategy.prepareForCreate?.(created, context);
  assert.deepEqual([created.spec.names["singular"], created.spec.names["listKind"]], ["route", "RouteList"]);
  const changed = structuredClone(created);
  changed.spec.scope = "Cluster";
  assert.deepEqual(
    crdStrategy.validate?.(changed, created).map(({ field, message }) => `${field}: ${message}`),
    ['spec.scope: Invalid value: "Cluster": field is immutable'],
  );
  assert.deepEqual(crdStrategy.validate?.(structuredClone(created), created), []);
});
