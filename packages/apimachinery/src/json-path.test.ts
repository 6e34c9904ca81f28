import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "./json-path.ts";

const object = {
  metadata: { name: "whoami", labels: { "app.kubernetes.io/name": "whoami", tier: "web" } },
  spec: { replicas: 3, hostnames: ["a.example", "b.example", "c.example"], empty: null },
  status: {
    conditions: [
      { type: "Accepted", status: "True", observedGeneration: 2 },
      { type: "Programmed", status: "False", observedGeneration: 1 },
    ],
    addresses: [{ value: "127.30.224.1" }, { value: "127.30.224.2" }],
  },
};

test("paths lead to values", () => {
  const cases: [string, unknown[]][] = [
    [".spec.replicas", [3]],
    ["spec.replicas", [3]],
    ["{.spec.replicas}", [3]],
    ["$.spec.replicas", [3]],
    [".metadata.labels.app\\.kubernetes\\.io/name", ["whoami"]],
    [".metadata.labels['app.kubernetes.io/name']", ["whoami"]],
    ['.metadata.labels["tier"]', ["web"]],
    [".metadata.labels.*", ["whoami", "web"]],
    [".spec.hostnames", [["a.example", "b.example", "c.example"]]],
    [".spec.hostnames[0]", ["a.example"]],
    [".spec.hostnames[-1]", ["c.example"]],
    [".spec.hostnames[-1:]", ["c.example"]],
    [".spec.hostnames[0:2]", ["a.example", "b.example"]],
    [".spec.hostnames[0:3:2]", ["a.example", "c.example"]],
    [".spec.hostnames[0,2]", ["a.example", "c.example"]],
    [".spec.hostnames[*]", ["a.example", "b.example", "c.example"]],
    [".status.addresses[*].value", ["127.30.224.1", "127.30.224.2"]],
    [".spec['replicas','hostnames'][1]", ["b.example"]],
    ["..observedGeneration", [2, 1]],
    [".spec.empty", [null]],
  ];
  for (const [path, found] of cases) assert.deepEqual(compile(path)(object), found, path);
});

test("filters select list items", () => {
  const cases: [string, unknown[]][] = [
    ['.status.conditions[?(@.type=="Accepted")].status', ["True"]],
    [".status.conditions[?(@.type=='Programmed')].status", ["False"]],
    ['.status.conditions[?(@.type!="Accepted")].type', ["Programmed"]],
    [".status.conditions[?(@.observedGeneration>1)].type", ["Accepted"]],
    [".status.conditions[?(@.observedGeneration<=1)].type", ["Programmed"]],
    [".status.conditions[?(@.observedGeneration >= 1)].type", ["Accepted", "Programmed"]],
    [".status.conditions[?(@.reason)].type", []],
    [".status.conditions[?(@.status)].type", ["Accepted", "Programmed"]],
    ['.status.addresses[?(@.value=="a]b")].value', []],
    ['.metadata[?(@.name=="whoami")]', []],
  ];
  for (const [path, found] of cases) assert.deepEqual(compile(path)(object), found, path);
});

test("paths that lead nowhere find nothing", () => {
  for (const path of [
    ".spec.missing",
    ".spec.missing.deeper",
    ".spec.replicas.deeper",
    ".spec.hostnames[9]",
    ".spec[0]",
    ".status.toString",
  ]) {
    assert.deepEqual(compile(path)(object), [], path);
  }
});

test("what is no path is refused", () => {
  for (const path of [".spec[", ".spec[x]", ".spec..", ".a b", ".spec[?(@.a=~'x')]", ".spec[?()]", ".spec.{a}"]) {
    assert.throws(() => compile(path), SyntaxError, path);
  }
});
