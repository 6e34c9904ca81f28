import assert from "node:assert/strict";
import { test } from "node:test";
import { templateHash } from "./template-hash.ts";

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
