import assert from "node:assert/strict";
import { test } from "node:test";
import { generatedName } from "./names.ts";

test("generated names have five letters more, and stay within 63", () => {
  assert.match(generatedName("web-"), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(generatedName("x".repeat(80)).length, 63);
});
