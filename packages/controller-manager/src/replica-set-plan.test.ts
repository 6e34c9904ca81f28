import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { planReplicas, replicaSetStatus } from "./replica-set-plan.ts";
import { notReady, testPod, testReplicaSet } from "./testing-objects.ts";

const readySince = (time: string): Pod["status"] => ({
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: time }],
});
const restarted = (restartCount: number): Pod["status"] => ({
  containerStatuses: [{ name: "main", image: "web", imageID: "", ready: true, restartCount }],
});

test("what is missing is created, what is too much deleted, and enough is left alone", () => {
  assert.deepEqual(planReplicas(testReplicaSet("web", 3), [testPod("a")]), { create: 2, delete: [] });
  assert.deepEqual(planReplicas(testReplicaSet("web", 1), [testPod("a")]), { create: 0, delete: [] });
});

test("who goes first: each pair differs in one thing", () => {
  const old = { creationTimestamp: "2026-01-01T00:00:00Z" };
  const young = { creationTimestamp: "2026-01-02T00:00:00Z" };
  const cases: [string, Pod, Pod][] = [
    ["unassigned", testPod("goes", { spec: { nodeName: "" } }), testPod("stays")],
    ["pending", testPod("goes", { status: { phase: "Pending" } }), testPod("stays")],
    ["not ready", testPod("goes", { status: notReady }), testPod("stays")],
    [
      "cheaper",
      testPod("goes", { metadata: { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-1" } } }),
      testPod("stays"),
    ],
    [
      "ready later",
      testPod("goes", { status: readySince("2026-02-02T00:00:00Z") }),
      testPod("stays", { status: readySince("2026-02-01T00:00:00Z") }),
    ],
    ["restarted more", testPod("goes", { status: restarted(2) }), testPod("stays", { status: restarted(1) })],
    ["newer", testPod("goes", { metadata: young }), testPod("stays", { metadata: old })],
    [
      "not ready before newer",
      testPod("goes", { metadata: old, status: notReady }),
      testPod("stays", { metadata: young }),
    ],
  ];
  for (const [what, goes, stays] of cases) {
    for (const pods of [
      [goes, stays],
      [stays, goes],
    ]) {
      assert.deepEqual(
        planReplicas(testReplicaSet("web", 1), pods).delete.map(({ metadata }) => metadata.name),
        ["goes"],
        what,
      );
    }
  }
});

test("status counts, and keeps a failure only while it lasts", () => {
  const { status: _, ...replicaSet } = testReplicaSet("web", 3);
  const failed = replicaSetStatus(replicaSet, [testPod("a"), testPod("b", { status: notReady })], {
    reason: "FailedCreate",
    message: "no",
  });
  const { conditions, ...counts } = failed;
  assert.deepEqual(counts, {
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
    observedGeneration: 1,
  });
  assert.equal(conditions?.[0]?.reason, "FailedCreate");
  assert.equal(replicaSetStatus({ ...replicaSet, status: failed }, [], undefined).conditions, undefined);
  const patient = { ...replicaSet, spec: { ...replicaSet.spec, minReadySeconds: 3600 } };
  const young = testPod("a", { status: readySince(new Date().toISOString()) });
  assert.deepEqual(replicaSetStatus(patient, [young, testPod("b")], undefined).availableReplicas, 1);
});
