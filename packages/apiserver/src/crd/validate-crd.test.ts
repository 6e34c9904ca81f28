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
    [
      "repeated version",
      (f) => (f.spec.versions[1].name = "v1"),
      /^spec\.versions: .*must contain unique version names/,
    ],
    [
      "no schema",
      (f) => (f.spec.versions[1]["schema"] = {} as never),
      /^spec\.versions\[1\]\.schema\.openAPIV3Schema: Required value/,
    ],
    [
      "column path",
      (f) => (f.spec.versions[0]["additionalPrinterColumns"] = [{ name: "A", type: "string", jsonPath: ".a[" }]),
      /JSONPath: .*unterminated/,
    ],
    [
      "column type",
      (f) => (f.spec.versions[0]["additionalPrinterColumns"] = [{ name: "A", type: "text", jsonPath: ".a" }]),
      /type: Invalid value: "text": must be one of boolean,date,integer,number,string/,
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
    [
      "words about metadata",
      (f) =>
        Object.assign(f.spec.versions[0].schema.openAPIV3Schema.properties?.["metadata"] ?? {}, { description: "D" }),
      /properties\[metadata\]: Forbidden: must not specify anything other than name and generateName, but metadata is/,
    ],
    ["scope", (f) => (f.spec.scope = "Everywhere"), /^spec\.scope: Unsupported value: "Everywhere"/],
    [
      "group of Kubernetes without approval",
      (f) => ((f.spec.group = "demo.k8s.io"), (f.metadata.name = "routes.demo.k8s.io")),
      /^metadata\.annotations\[api-approved\.kubernetes\.io\]: Required value: protected groups/,
    ],
    [
      "deprecation of a version that is not deprecated",
      (f) => (f.spec.versions[0]["deprecationWarning"] = "gone soon"),
      /^spec\.versions\[0\]\.deprecationWarning: .*can only be set for deprecated versions/,
    ],
    ...[
      [".spec.hostnames", /must point to a field of type string, boolean or integer/],
      [".spec.none", /is an invalid path: does not refer to a valid field/],
      [".metadata.name", /is an invalid path: does not refer to a valid field/],
      ["spec.open", /is an invalid path: expected \[ or \. but got: spec/],
      [".spec.hostnames[0]", /array notation is not allowed/],
    ].map(([jsonPath, words]): [string, (fixture: Fixture) => void, RegExp] => [
      `selectable field ${String(jsonPath)}`,
      (f) => (f.spec.versions[0]["selectableFields"] = [{ jsonPath }]),
      words as RegExp,
    ]),
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
    // Only the root has to declare what its combinators speak of.
    ["field only a combinator knows", { type: "object", anyOf: [{ properties: { a: { pattern: "x" } } }] }, undefined],
    [
      "nullable inside a combinator",
      { type: "object", allOf: [{ nullable: true }] },
      /allOf\[0\]\.nullable: Forbidden: must be false to be structural/,
    ],
    [
      "default of unknown fields",
      { type: "object", properties: { a: { type: "string" } }, default: { b: 1 } },
      /default: Invalid value: .*must not have unknown fields/,
    ],
    [
      "set of objects that are not atomic",
      { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
      /items\.x-kubernetes-map-type: .*must be atomic as item of a list with x-kubernetes-list-type=set/,
    ],
    [
      "map key that may be missing",
      {
        type: "array",
        items: { type: "object", properties: { a: { type: "string" } } },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a"],
      },
      /items\.properties\[a\]\.default: Required value: .*must have a default or be a required property/,
    ],
    [
      "embedded resource of nothing",
      { type: "object", "x-kubernetes-embedded-resource": true },
      /properties: Required/,
    ],
    [
      "map type of a list",
      { type: "string", "x-kubernetes-map-type": "atomic" },
      /must be object if x-kubernetes-map-type/,
    ],
    ["bad pattern", { type: "string", pattern: "(" }, /pattern: .*valid regular expression/],
    ["look-ahead", { type: "string", pattern: "(?=a)" }, /pattern: .*valid regular expression/],
    ["default of another type", { type: "string", default: 1 }, /default: .*: {2}in body must be of type string/],
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
      /list-map-keys: .*entries must all be names of item properties/,
    ],
    ["set of no list", { type: "string", "x-kubernetes-list-type": "set" }, /must be array/],
  ];
  for (const [name, schema, expected] of cases) {
    const found = faults((f) => {
      f.spec.versions[0].schema.openAPIV3Schema = { type: "object", properties: { x: schema } };
      delete f.spec.versions[0]["selectableFields"];
    });
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
