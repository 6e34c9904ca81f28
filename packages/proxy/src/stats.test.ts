import assert from "node:assert/strict";
import { test } from "node:test";
import { CounterSet, countRequest, durationBucket, newServiceCounters, newTraffic } from "./stats.ts";

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

test("what has counted nothing shares its zeros, and what counts has numbers of its own", () => {
  const [idle, busy] = [newTraffic(), newTraffic()];
  assert.equal(idle.durations, busy.durations);
  countRequest(busy, 200, 5, 3, durationBucket(3));
  countRequest(busy, 200, 5, 3, durationBucket(3));
  assert.deepEqual([busy.statuses, busy.durations.at(durationBucket(3))], [[0, 0, 2, 0, 0, 0], 2]);
  assert.deepEqual([idle, newTraffic()], [newTraffic(), idle]);
  assert.deepEqual([...new Set([...idle.statuses, ...idle.durations])], [0]);
});
