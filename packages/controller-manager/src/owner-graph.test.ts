import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnerReference } from "@gatehouse/apimachinery/meta";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import {
  blockingDependents,
  createOwnerGraph,
  type GraphItem,
  judge,
  type OwnerState,
  type Verdict,
  waitsForDependents,
} from "./owner-graph.ts";

const owner = (uid: string, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: "v1",
  kind: "Pod",
  name: uid,
  uid,
  blockOwnerDeletion,
});
const item = (uid: string, owners: OwnerReference[] = [], change: Partial<GraphItem> = {}): GraphItem => ({
  type: pods,
  name: uid,
  namespace: "demo",
  uid,
  resourceVersion: "1",
  owners,
  finalizers: [],
  terminating: false,
  ...change,
});

test("dependents follow the references as they change and go", () => {
  const graph = createOwnerGraph();
  graph.set(item("owner"));
  graph.set(item("a", [owner("owner", true)]));
  graph.set(item("b", [owner("owner"), owner("other")]));
  assert.deepEqual(
    graph.dependentsOf("owner").map(({ uid }) => uid),
    ["a", "b"],
  );
  assert.deepEqual(
    blockingDependents(graph, item("owner")).map(({ uid }) => uid),
    ["a"],
  );
  graph.set(item("b", [owner("other")]));
  graph.remove("a");
  assert.deepEqual(graph.dependentsOf("owner"), []);
  assert.deepEqual(
    graph.dependentsOf("other").map(({ uid }) => uid),
    ["b"],
  );
});

test("an object stays with an owner that stays, and goes with the last one", () => {
  const cases: [OwnerState[], boolean, Verdict][] = [
    [["present"], false, { action: "keep" }],
    [["present", "absent"], false, { action: "release", owners: [owner("0")] }],
    [["waiting", "present"], false, { action: "release", owners: [owner("1")] }],
    [["absent"], false, { action: "delete", policy: "Background" }],
    [["absent", "absent"], true, { action: "delete", policy: "Background" }],
    [["waiting"], false, { action: "delete", policy: "Background" }],
    [["waiting", "absent"], true, { action: "delete", policy: "Foreground" }],
    [[], true, { action: "keep" }],
  ];
  for (const [states, hasDependents, expected] of cases) {
    const judged = item(
      "x",
      states.map((_, index) => owner(String(index))),
    );
    assert.deepEqual(judge(judged, states, hasDependents), expected, states.join());
  }
});

test("finalizers already there decide how an object goes", () => {
  const orphaning = item("x", [owner("0")], { finalizers: ["orphan"] });
  assert.deepEqual(judge(orphaning, ["absent"], true), { action: "delete", policy: "Orphan" });
  const foreground = item("x", [owner("0")], { finalizers: ["foregroundDeletion"] });
  assert.deepEqual(judge(foreground, ["absent"], false), { action: "delete", policy: "Foreground" });
  assert.equal(waitsForDependents(foreground), false);
  assert.equal(waitsForDependents({ ...foreground, terminating: true }), true);
});
