import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ReplicaSet, WorkloadCondition } from "@gatehouse/apimachinery/types/apps-v1";
import {
  countedStatus,
  deadlineCheckAfter,
  isComplete,
  pauseChange,
  rolloutStatus,
  withCondition,
} from "./deployment-status.ts";
import { testDeployment, testReplicaSet } from "./testing-objects.ts";

const now = "2026-06-01T12:00:00Z";
const progressing = (
  reason: string,
  lastUpdateTime = now,
  status: "True" | "False" | "Unknown" = "True",
): WorkloadCondition => ({
  type: "Progressing",
  status,
  reason,
  message: "",
  lastUpdateTime,
  lastTransitionTime: lastUpdateTime,
});

function rolled(deployment: Deployment, newest: ReplicaSet, old: ReplicaSet[] = []) {
  const conditions = deployment.status?.conditions ?? [];
  return rolloutStatus(deployment, newest, old, countedStatus(deployment, newest, old, conditions, now), now);
}
const conditionOf = (status: Deployment["status"], type: string) =>
  status?.conditions?.find((one) => one.type === type);

test("counters are summed, and availability has the slack of maxUnavailable", () => {
  const status = countedStatus(testDeployment(), testReplicaSet("new", 1, 0), [testReplicaSet("old", 4, 3)], [], now);
  const { replicas, updatedReplicas, availableReplicas, unavailableReplicas, observedGeneration } = status;
  assert.deepEqual(
    { replicas, updatedReplicas, availableReplicas, unavailableReplicas, observedGeneration },
    {
      replicas: 5,
      updatedReplicas: 1,
      availableReplicas: 3,
      unavailableReplicas: 2,
      observedGeneration: 1,
    },
  );
  assert.equal(conditionOf(status, "Available")?.status, "True");
  const short = countedStatus(testDeployment(), testReplicaSet("new", 4, 2), [], [], now);
  assert.equal(conditionOf(short, "Available")?.reason, "MinimumReplicasUnavailable");
});

test("progress: updated, complete, timed out, and no deadline", () => {
  const created = { conditions: [progressing("NewReplicaSetCreated")] };
  assert.equal(
    conditionOf(rolled(testDeployment({}, created), testReplicaSet("new", 4, 2)), "Progressing")?.reason,
    "ReplicaSetUpdated",
  );
  const done = rolled(testDeployment({}, created), testReplicaSet("new", 4, 4));
  assert.equal(conditionOf(done, "Progressing")?.message, 'ReplicaSet "new" has successfully progressed.');
  assert.ok(isComplete(testDeployment(), done));

  const counters = { replicas: 4, updatedReplicas: 4, readyReplicas: 2, availableReplicas: 2 };
  const stuck = (since: string) =>
    testDeployment({}, { ...counters, conditions: [progressing("ReplicaSetUpdated", since)] });
  const late = rolled(stuck("2026-06-01T11:49:59Z"), testReplicaSet("new", 4, 2));
  assert.deepEqual(
    [conditionOf(late, "Progressing")?.reason, conditionOf(late, "Progressing")?.status],
    ["ProgressDeadlineExceeded", "False"],
  );
  const inTime = rolled(stuck("2026-06-01T11:50:01Z"), testReplicaSet("new", 4, 2));
  assert.equal(conditionOf(inTime, "Progressing")?.reason, "ReplicaSetUpdated");
  const { progressDeadlineSeconds: _, ...spec } = testDeployment().spec;
  assert.equal(
    conditionOf(rolled({ ...testDeployment({}, created), spec }, testReplicaSet("new", 4, 2)), "Progressing"),
    undefined,
  );
});

test("a finished rollout stays finished when pods come and go later", () => {
  const counters = { replicas: 4, updatedReplicas: 4, readyReplicas: 4, availableReplicas: 4 };
  const before = testDeployment(
    {},
    { ...counters, conditions: [progressing("NewReplicaSetAvailable", "2020-01-01T00:00:00Z")] },
  );
  assert.deepEqual(
    conditionOf(rolled(before, testReplicaSet("new", 4, 3)), "Progressing"),
    before.status?.conditions?.[0],
  );
});

test("a ReplicaSet that cannot create pods shows on the Deployment, and no longer once it can", () => {
  const failing = testReplicaSet("new", 4, 0);
  const failure: WorkloadCondition = {
    type: "ReplicaFailure",
    status: "True",
    reason: "FailedCreate",
    message: "quota",
    lastTransitionTime: now,
  };
  failing.status = { replicas: 0, conditions: [failure] };
  const shown = rolled(testDeployment({}, { conditions: [progressing("NewReplicaSetCreated")] }), failing);
  assert.equal(conditionOf(shown, "ReplicaFailure")?.message, "quota");
  assert.equal(
    conditionOf(rolled(testDeployment({}, shown), testReplicaSet("new", 4, 0)), "ReplicaFailure"),
    undefined,
  );
});

test("a condition keeps its transition time while its status stays", () => {
  const [first] = withCondition([], { type: "Available", status: "True", reason: "A", message: "" }, "t1");
  assert.equal(first?.lastTransitionTime, "t1");
  const [second] = withCondition(
    first ? [first] : [],
    { type: "Available", status: "True", reason: "B", message: "" },
    "t2",
  );
  assert.deepEqual([second?.lastTransitionTime, second?.lastUpdateTime], ["t1", "t2"]);
  const [third] = withCondition(
    second ? [second] : [],
    { type: "Available", status: "False", reason: "B", message: "" },
    "t3",
  );
  assert.equal(third?.lastTransitionTime, "t3");
});

test("pausing and resuming are said once, and do not hide an exceeded deadline", () => {
  const of = (paused: boolean, reason: string) =>
    pauseChange(testDeployment({ paused }, { conditions: [progressing(reason)] }))?.reason;
  assert.equal(of(true, "NewReplicaSetAvailable"), "DeploymentPaused");
  assert.equal(of(true, "DeploymentPaused"), undefined);
  assert.equal(of(false, "DeploymentPaused"), "DeploymentResumed");
  assert.equal(of(false, "ReplicaSetUpdated"), undefined);
  assert.equal(of(true, "ProgressDeadlineExceeded"), undefined);
});

test("the deadline is looked at only while something is awaited", () => {
  const since = new Date().toISOString();
  const waiting = deadlineCheckAfter(testDeployment({ progressDeadlineSeconds: 10 }), {
    conditions: [progressing("ReplicaSetUpdated", since)],
  });
  assert.ok(waiting !== undefined && waiting > 9_000 && waiting <= 11_000, String(waiting));
  assert.equal(
    deadlineCheckAfter(testDeployment(), { conditions: [progressing("NewReplicaSetAvailable")] }),
    undefined,
  );
  assert.equal(
    deadlineCheckAfter(testDeployment({ paused: true }), { conditions: [progressing("ReplicaSetUpdated")] }),
    undefined,
  );
});
