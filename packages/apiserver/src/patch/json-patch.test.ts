import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { jsonPatch } from "./json-patch.ts";

const document = { a: 1, list: ["x", "y"], deep: { b: { c: true } }, "with/slash": { "with~tilde": 1 } };

const results: { name: string; patch: unknown; expected: unknown }[] = [
  { name: "add a member", patch: [{ op: "add", path: "/n", value: 2 }], expected: { ...document, n: 2 } },
  { name: "add over a member", patch: [{ op: "add", path: "/a", value: 2 }], expected: { ...document, a: 2 } },
  {
    name: "insert an item",
    patch: [{ op: "add", path: "/list/1", value: "z" }],
    expected: { ...document, list: ["x", "z", "y"] },
  },
  {
    name: "append an item",
    patch: [{ op: "add", path: "/list/-", value: "z" }],
    expected: { ...document, list: ["x", "y", "z"] },
  },
  {
    name: "append at the length",
    patch: [{ op: "add", path: "/list/2", value: "z" }],
    expected: { ...document, list: ["x", "y", "z"] },
  },
  { name: "replace the whole", patch: [{ op: "replace", path: "", value: { z: 1 } }], expected: { z: 1 } },
  { name: "remove a member", patch: [{ op: "remove", path: "/deep/b/c" }], expected: { ...document, deep: { b: {} } } },
  { name: "remove an item", patch: [{ op: "remove", path: "/list/0" }], expected: { ...document, list: ["y"] } },
  {
    name: "replace an item",
    patch: [{ op: "replace", path: "/list/0", value: "z" }],
    expected: { ...document, list: ["z", "y"] },
  },
  {
    name: "move",
    patch: [{ op: "move", from: "/deep/b", path: "/b" }],
    expected: { ...document, deep: {}, b: { c: true } },
  },
  {
    name: "move within a list",
    patch: [{ op: "move", from: "/list/0", path: "/list/1" }],
    expected: { ...document, list: ["y", "x"] },
  },
  {
    name: "copy",
    patch: [{ op: "copy", from: "/deep", path: "/copy" }],
    expected: { ...document, copy: { b: { c: true } } },
  },
  {
    name: "escapes",
    patch: [{ op: "replace", path: "/with~1slash/with~0tilde", value: 2 }],
    expected: { ...document, "with/slash": { "with~tilde": 2 } },
  },
  {
    name: "a test that holds, whatever the order of keys",
    patch: [
      { op: "test", path: "/deep", value: { b: { c: true } } },
      { op: "add", path: "/ok", value: true },
    ],
    expected: { ...document, ok: true },
  },
  { name: "a test that a member is missing", patch: [{ op: "test", path: "/none", value: null }], expected: document },
  { name: "add null", patch: [{ op: "add", path: "/n", value: null }], expected: { ...document, n: null } },
];

test("operations", () => {
  for (const { name, patch, expected } of results) {
    const before = structuredClone([document, patch]);
    assert.deepEqual(jsonPatch(document, patch), expected, name);
    assert.deepEqual([document, patch], before, `${name}: the inputs are left alone`);
  }
});

const refusals: { name: string; patch: unknown; code: number; message: RegExp }[] = [
  { name: "not a list", patch: { op: "add" }, code: 400, message: /list of operations/ },
  {
    name: "unknown operation",
    patch: [{ op: "merge", path: "/a" }],
    code: 400,
    message: /operation 0: op must be one of/,
  },
  { name: "no path", patch: [{ op: "remove" }], code: 400, message: /path must be a string/ },
  { name: "no value", patch: [{ op: "add", path: "/a" }], code: 400, message: /add needs value/ },
  { name: "no from", patch: [{ op: "copy", path: "/a" }], code: 400, message: /copy needs from/ },
  { name: "no pointer", patch: [{ op: "remove", path: "a" }], code: 400, message: /must start with/ },
  {
    name: "too long",
    patch: Array.from({ length: 10_001 }, () => ({ op: "test", path: "/a", value: 1 })),
    code: 413,
    message: /maximum operations/,
  },
  {
    name: "failed test",
    patch: [{ op: "test", path: "/a", value: 2 }],
    code: 422,
    message: /testing value \/a failed/,
  },
  {
    name: "remove what is not there",
    patch: [{ op: "remove", path: "/none" }],
    code: 422,
    message: /"\/none" does not exist/,
  },
  {
    name: "replace what is not there",
    patch: [{ op: "replace", path: "/none", value: 1 }],
    code: 422,
    message: /does not exist/,
  },
  { name: "missing parent", patch: [{ op: "add", path: "/none/a", value: 1 }], code: 422, message: /missing parent/ },
  { name: "index too large", patch: [{ op: "add", path: "/list/3", value: 1 }], code: 422, message: /out of bounds/ },
  {
    name: "index with leading zero",
    patch: [{ op: "add", path: "/list/01", value: 1 }],
    code: 422,
    message: /out of bounds/,
  },
  { name: "inherited name", patch: [{ op: "remove", path: "/toString" }], code: 422, message: /does not exist/ },
  {
    name: "into its own child",
    patch: [{ op: "move", from: "/deep", path: "/deep/b/d" }],
    code: 422,
    message: /own child/,
  },
];

test("copies of copies are refused before they fill the memory", () => {
  const bomb = Array.from({ length: 40 }, (_, index) => ({ op: "copy", from: "/deep", path: `/deep/${index}` }));
  assert.throws(
    () => jsonPatch(document, bomb),
    (error) => error instanceof StatusError && error.code === 422 && /accumulated size increase/.test(error.message),
  );
});

test("refusals", () => {
  for (const { name, patch, code, message } of refusals) {
    assert.throws(
      () => jsonPatch(document, patch),
      (error) => error instanceof StatusError && error.code === code && message.test(error.message),
      name,
    );
  }
});
