import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatefulSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { ordinalOf, planStatefulPods, statefulSetStatus } from "./stateful-set-plan.ts";
import { notReady, testPod } from "./testing-objects.ts";

const revisions = { current: "db-1", update: "db-2" };
const statefulSet = (spec: Partial<StatefulSet["spec"]> = {}): StatefulSet => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db", namespace: "demo", uid: "uid-db", generation: 4 },
  spec: {
    replicas: 4,
    selector: {},
    template: { spec: { containers: [] } },
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    ...spec,
  },
});
const pod = (ordinal: number, revision = "db-2", status?: Pod["status"]): Pod =>
  testPod(`db-${ordinal}`, {
    metadata: { labels: { "controller-revision-hash": revision } },
    ...(status ? { status } : {}),
  });
const going = (one: Pod): Pod => ({ ...one, metadata: { ...one.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
const plan = (set: StatefulSet, pods: Pod[]): { create: number[]; delete: string[] } => {
  const { create, delete: doomed } = planStatefulPods(set, revisions, pods);
  return { create, delete: doomed.map(({ metadata }) => metadata.name) };
};

test("ordinals are the numbers after the set's name", () => {
  const ordinals = ["db-0", "db-12", "db-012", "db-x", "db-", "other-1", "db-1-2"].map((name) =>
    ordinalOf(statefulSet(), testPod(name)),
  );
  assert.deepEqual(ordinals, [0, 12, undefined, undefined, undefined, undefined, undefined]);
});

test("in order, each step waits until the pods before are ready", () => {
  assert.deepEqual(plan(statefulSet(), [pod(0), pod(1)]), { create: [2], delete: [] });
  assert.deepEqual(plan(statefulSet(), [pod(0), pod(1, "db-2", notReady)]), { create: [], delete: [] });
  assert.deepEqual(plan(statefulSet(), [pod(0), going(pod(1))]), { create: [], delete: [] });
  assert.deepEqual(plan(statefulSet(), [pod(1), pod(2), pod(3)]), { create: [0], delete: [] });
});

test("shrinking takes the highest first, one by one", () => {
  const set = statefulSet({ replicas: 1 });
  assert.deepEqual(plan(set, [pod(0), pod(1), pod(2)]), { create: [], delete: ["db-2"] });
  assert.deepEqual(plan(set, [pod(0), pod(1), going(pod(2))]), { create: [], delete: [] });
  assert.deepEqual(plan(set, [pod(0, "db-2", notReady), pod(1)]), { create: [], delete: [] });
  const parallel = statefulSet({ replicas: 1, podManagementPolicy: "Parallel" });
  assert.deepEqual(plan(parallel, [pod(0), pod(1), pod(2)]), { create: [], delete: ["db-2", "db-1"] });
});

test("an update goes from the top to the partition, one pod at a time or as many as may be missing", () => {
  const old = [0, 1, 2, 3].map((ordinal) => pod(ordinal, "db-1"));
  assert.deepEqual(plan(statefulSet(), old).delete, ["db-3"]);
  assert.deepEqual(plan(statefulSet(), [...old.slice(0, 3), pod(3)]).delete, ["db-2"]);
  const rolling = (settings: object) =>
    statefulSet({ updateStrategy: { type: "RollingUpdate", rollingUpdate: settings } });
  assert.deepEqual(plan(rolling({ partition: 3 }), [...old.slice(0, 3), pod(3)]).delete, []);
  assert.deepEqual(plan(rolling({ partition: 0, maxUnavailable: "50%" }), old).delete, ["db-3", "db-2"]);
  assert.deepEqual(plan(statefulSet({ updateStrategy: { type: "OnDelete" } }), old).delete, []);
  const parallel = statefulSet({ podManagementPolicy: "Parallel" });
  assert.deepEqual(plan(parallel, [...old.slice(0, 3), pod(3, "db-2", notReady)]).delete, []);
});

test("the update's revision becomes the current one when every pod has it and is ready", () => {
  const half = statefulSetStatus(statefulSet(), revisions, [pod(0, "db-1"), pod(1), pod(2), pod(3)]);
  assert.deepEqual([half.currentRevision, half.updatedReplicas, half.currentReplicas], ["db-1", 3, 1]);
  const unready = statefulSetStatus(statefulSet(), revisions, [pod(0, "db-2", notReady), pod(1), pod(2), pod(3)]);
  assert.deepEqual([unready.currentRevision, unready.readyReplicas], ["db-1", 3]);
  const whole = statefulSetStatus(statefulSet(), revisions, [pod(0), pod(1), pod(2), pod(3)]);
  assert.deepEqual([whole.currentRevision, whole.currentReplicas, whole.observedGeneration], ["db-2", 4, 4]);
});
