import assert from "node:assert/strict";
import { test } from "node:test";
import { canonical, generatedName, templateHash } from "./names.ts";

test("a template's hash depends on what it says, not on how it is written", () => {
  const hash = templateHash({ spec: { containers: [{ name: "a", image: "x" }] } });
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.equal(
    templateHash({ metadata: { creationTimestamp: null }, spec: { containers: [{ image: "x", name: "a" }] } }),
    hash,
  );
  assert.notEqual(templateHash({ spec: { containers: [{ name: "a", image: "y" }] } }), hash);
  assert.notEqual(templateHash({ spec: { containers: [{ name: "a", image: "x" }] } }, 1), hash);
});

test("the hash is the same in every release: ReplicaSets are named after it", () => {
  assert.equal(templateHash({ spec: { containers: [{ name: "a", image: "x" }] } }), "8677cc87fc");
});

test("canonical text keeps zero, false and the empty string, and the order of lists", () => {
  assert.equal(canonical({ b: 0, a: false, c: "", d: [], e: {}, f: null }), '{"a":false,"b":0,"c":""}');
  assert.notEqual(canonical([1, 2]), canonical([2, 1]));
  assert.equal(canonical(undefined), canonical({}));
});

test("generated names have five letters more, and stay within 63", () => {
  assert.match(generatedName("web-"), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(generatedName("x".repeat(80)).length, 63);
});
