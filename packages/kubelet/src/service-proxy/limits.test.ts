import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdmission } from "./limits.ts";

test("all Services share what is left of the whole; whom the whole refuses has taken nothing of its own", () => {
  const whole = createAdmission(3);
  const [one, other] = [createAdmission(2, whole), createAdmission(2, whole)];
  assert.deepEqual([one.enter(), one.enter(), one.enter()], [true, true, false]);
  assert.deepEqual([other.enter(), other.enter()], [true, false]);
  one.leave();
  assert.deepEqual([other.enter(), one.enter()], [true, false]);
  other.leave();
  assert.equal(one.enter(), true);
});
