import assert from "node:assert/strict";
import { test } from "node:test";
import { canonical } from "./canonical-json.ts";

test("canonical text keeps zero, false and the empty string, and the order of lists", () => {
  assert.equal(canonical({ b: 0, a: false, c: "", d: [], e: {}, f: null }), '{"a":false,"b":0,"c":""}');
  assert.notEqual(canonical([1, 2]), canonical([2, 1]));
  assert.equal(canonical(undefined), canonical({}));
});
