import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterSet, countRequest, durationBucket, newServiceCounters } from "./stats.ts";

test("a snapshot has all that was counted until then, and nothing that is counted later", () => {
  const set = new CounterSet(newServiceCounters);
  const counters = set.get("a");
  countRequest(counters, 200, 5, 3, durationBucket(3));
  counters.mirrored.dropped = 2;
  const snapshot = set.snapshot();
  assert.deepEqual(snapshot, { a: counters });
  const then = structuredClone(snapshot);
  countRequest(counters, 500, 7, 9_000, durationBucket(9_000));
  counters.mirrored.dropped++;
  set.get("b");
  assert.deepEqual(snapshot, then);
  assert.notDeepEqual(set.snapshot(), then);
});
