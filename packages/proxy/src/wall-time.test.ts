import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { wallTime } from "./wall-time.ts";

test("the time of day follows the system's clock wherever that is set, and asks it now and then only", (context) => {
  let now = performance.now() + 1_000_000;
  let today = Date.UTC(2026, 0, 2);
  let asked = 0;
  context.mock.method(performance, "now", () => now);
  context.mock.method(Date, "now", () => (asked++, today));
  const pass = (milliseconds: number): void => {
    now += milliseconds;
    today += milliseconds;
  };
  for (const set of [0, 3_600_000, -86_400_000]) {
    today += set;
    pass(101);
    asked = 0;
    for (let time = 0; time < 50; time++) {
      assert.equal(wallTime(now), today);
      pass(2);
    }
    assert.equal(asked, 1);
  }
  today += 5_000;
  assert.equal(wallTime(now), today - 5_000, "set since it was asked");
  pass(1);
  assert.equal(wallTime(now), today, "and asked again");
});
