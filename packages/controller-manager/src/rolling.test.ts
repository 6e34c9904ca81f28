import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "@gatehouse/apimachinery/types/apps-v1";
import {
  maxSurge,
  maxUnavailable,
  newReplicaSetSize,
  planRollingUpdate,
  planScaling,
  resolveFenceposts,
  resolveIntOrPercent,
  type ScaleStep,
} from "./rolling.ts";
import { testDeployment, testReplicaSet } from "./testing-objects.ts";

const sizes = (steps: ScaleStep[]): Record<string, number> =>
  Object.fromEntries(steps.map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas]));
const rolling = (replicas: number, surge: number | string, unavailable: number | string): Deployment =>
  testDeployment({
    replicas,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
  });

test("percentages of surge round up, of unavailability down, and both zero become one unavailable", () => {
  assert.equal(resolveIntOrPercent("25%", 10, "up"), 3);
  assert.equal(resolveIntOrPercent("25%", 10, "down"), 2);
  assert.equal(resolveIntOrPercent(4, 10, "up"), 4);
  assert.equal(resolveIntOrPercent("garbage", 10, "up"), 0);
  assert.deepEqual(resolveFenceposts({ maxSurge: "0%", maxUnavailable: "10%" }, 5), { surge: 0, unavailable: 1 });
  assert.deepEqual(resolveFenceposts({ maxSurge: 1, maxUnavailable: 0 }, 5), { surge: 1, unavailable: 0 });
});

test("limits of a Deployment: the default 25%, never more unavailable than wanted, none for Recreate", () => {
  assert.deepEqual([maxSurge(testDeployment()), maxUnavailable(testDeployment())], [1, 1]);
  assert.equal(maxUnavailable(rolling(2, 0, 5)), 2);
  assert.equal(maxUnavailable(rolling(0, 1, 1)), 0);
  const recreate = testDeployment({ strategy: { type: "Recreate" } });
  assert.deepEqual([maxSurge(recreate), maxUnavailable(recreate)], [0, 0]);
});

test("the new ReplicaSet takes the room that surge leaves", () => {
  const cases: [Deployment, number, number, number][] = [
    // Deployment, size of the old one, present size, expected
    [rolling(4, 1, 1), 4, 0, 1],
    [rolling(4, 0, 1), 4, 0, 0],
    [rolling(4, 0, 1), 3, 0, 1],
    [rolling(4, 4, 0), 4, 0, 4],
    [rolling(4, 1, 1), 0, 0, 4],
    [rolling(4, 1, 1), 0, 6, 4],
    [testDeployment({ strategy: { type: "Recreate" } }), 0, 0, 4],
  ];
  for (const [deployment, old, present, expected] of cases) {
    assert.equal(newReplicaSetSize(deployment, [testReplicaSet("old", old)], present), expected);
  }
});

test("one pass of a rolling update", () => {
  const cases: [string, Deployment, [number, number], [number, number], Record<string, number>][] = [
    // what, Deployment, [size, available] of new, of old, steps
    ["surge first", rolling(4, 1, 0), [0, 0], [4, 4], { new: 1 }],
    ["wait for the surging pod", rolling(4, 1, 0), [1, 0], [4, 4], {}],
    ["then an old one goes", rolling(4, 1, 0), [1, 1], [4, 4], { old: 3 }],
    ["unavailability allows an old one to go at once", rolling(4, 1, 1), [1, 0], [4, 4], { old: 3 }],
    ["unhealthy old pods go whatever is available", rolling(4, 1, 1), [1, 0], [4, 2], { old: 3 }],
    ["without surge the old shrinks first", rolling(4, 0, 1), [0, 0], [4, 4], { old: 3 }],
    ["the last old one", rolling(4, 1, 0), [4, 4], [1, 1], { old: 0 }],
    ["done", rolling(4, 1, 0), [4, 4], [0, 0], {}],
    ["the new one is too large", rolling(2, 1, 0), [4, 4], [0, 0], { new: 2 }],
  ];
  for (const [what, deployment, [newSize, newAvailable], [oldSize, oldAvailable], expected] of cases) {
    const newest = testReplicaSet("new", newSize, newAvailable, {}, 2);
    const old = testReplicaSet("old", oldSize, oldAvailable);
    assert.deepEqual(sizes(planRollingUpdate(deployment, newest, [old])), expected, what);
  }
});

test("of several old ReplicaSets the oldest shrinks first", () => {
  const old = [testReplicaSet("older", 2, 2, {}, 1), testReplicaSet("old", 2, 2, {}, 2)];
  const newest = testReplicaSet("new", 1, 1, {}, 3);
  assert.deepEqual(sizes(planRollingUpdate(rolling(4, 1, 1), newest, old)), { older: 0 });
});

test("scaling: a single active ReplicaSet takes it all, also up from zero", () => {
  const newest = testReplicaSet("new", 4, 4, {}, 2);
  const old = testReplicaSet("old", 0);
  assert.deepEqual(sizes(planScaling(rolling(7, 1, 0), newest, [old])), { new: 7 });
  assert.deepEqual(sizes(planScaling(rolling(3, 1, 0), testReplicaSet("new", 0), [old])), { new: 3 });
  assert.deepEqual(planScaling(rolling(3, 1, 0), undefined, []), []);
});

test("scaling in the middle of a rolling update is proportional, and what rounding leaves goes to the largest", () => {
  const told = { "deployment.kubernetes.io/max-replicas": "13", "deployment.kubernetes.io/desired-replicas": "10" };
  const newest = testReplicaSet("new", 5, 0, told, 2);
  const old = testReplicaSet("old", 8, 8, told);
  // 10 (+3) -> 15 (+3): five more over 8 and 5 (the documentation's example).
  assert.deepEqual(sizes(planScaling(rolling(15, 3, 2), newest, [old])), { old: 11, new: 7 });
  assert.deepEqual(sizes(planScaling(rolling(0, 3, 2), newest, [old])), { old: 0, new: 0 });
});

test("scaling with a saturated new ReplicaSet empties the old ones; Recreate scales nothing between two", () => {
  const told = { "deployment.kubernetes.io/desired-replicas": "4" };
  const newest = testReplicaSet("new", 4, 4, told, 2);
  const old = testReplicaSet("old", 1);
  assert.deepEqual(sizes(planScaling(rolling(4, 1, 0), newest, [old])), { old: 0 });
  const recreate = testDeployment({ strategy: { type: "Recreate" }, replicas: 5 });
  assert.deepEqual(planScaling(recreate, newest, [old]), []);
});
