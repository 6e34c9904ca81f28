import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { Node, Pod } from "@gatehouse/apimachinery/types/core-v1";
import { daemonPodSpec, daemonSetStatus, nodeOf, planDaemonPods } from "./daemon-plan.ts";
import { notReady, testNode, testPod } from "./testing-objects.ts";

type Strategy = NonNullable<DaemonSet["spec"]["updateStrategy"]>;
const rolling = (maxUnavailable: number | string, maxSurge: number | string = 0): Strategy => ({
  type: "RollingUpdate",
  rollingUpdate: { maxUnavailable, maxSurge },
});
const daemonSet = (updateStrategy: Strategy = rolling(1)): DaemonSet => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "agent", namespace: "demo", uid: "uid-agent", generation: 3 },
  spec: { selector: {}, template: { spec: { containers: [] } }, updateStrategy },
});
const nodes = (count: number): Node[] => Array.from({ length: count }, (_, index) => testNode({ name: `n${index}` }));
const pod = (name: string, node: string, hash: string, change: { status?: Pod["status"]; going?: boolean } = {}): Pod =>
  testPod(name, {
    spec: { nodeName: node },
    ...(change.status ? { status: change.status } : {}),
    metadata: {
      labels: { "controller-revision-hash": hash },
      creationTimestamp: `2026-01-01T00:00:0${name.at(-1)}Z`,
      ...(change.going ? { deletionTimestamp: "x" } : {}),
    },
  });

function planned(set: DaemonSet, count: number, pods: Pod[]): { create: string[]; delete: string[] } {
  const plan = planDaemonPods(set, "new", nodes(count), pods);
  return { create: plan.create, delete: plan.delete.map(({ metadata }) => metadata.name) };
}

test("every node without a pod gets one; a terminating pod still holds its node", () => {
  assert.deepEqual(planned(daemonSet(), 2, [pod("a1", "n0", "new")]), { create: ["n1"], delete: [] });
  assert.deepEqual(planned(daemonSet(), 1, [pod("a1", "n0", "new", { going: true })]), { create: [], delete: [] });
});

test("doubles, ended pods and pods of vanished nodes go", () => {
  assert.deepEqual(planned(daemonSet(), 1, [pod("a2", "n0", "new"), pod("a1", "n0", "new")]).delete, ["a2"]);
  assert.deepEqual(planned(daemonSet(), 1, [pod("a1", "n0", "new", { status: { phase: "Failed" } })]).delete, ["a1"]);
  assert.deepEqual(planned(daemonSet(), 1, [pod("a1", "n0", "new"), pod("a2", "gone", "new")]).delete, ["a2"]);
});

test("replacing without surge: within maxUnavailable, broken pods at once, OnDelete never", () => {
  const old = [pod("a0", "n0", "old"), pod("a1", "n1", "old"), pod("a2", "n2", "old")];
  assert.deepEqual(planned(daemonSet(rolling(1)), 3, old).delete, ["a0"]);
  assert.deepEqual(planned(daemonSet(rolling("50%")), 3, old).delete, ["a0", "a1"]);
  const oneDown = [pod("a0", "n0", "new", { status: notReady }), ...old.slice(1)];
  assert.deepEqual(planned(daemonSet(rolling(1)), 3, oneDown).delete, []);
  const oneBroken = [pod("a0", "n0", "old", { status: notReady }), ...old.slice(1)];
  assert.deepEqual(planned(daemonSet(rolling(1)), 3, oneBroken).delete, ["a0"]);
  assert.deepEqual(planned(daemonSet({ type: "OnDelete" }), 3, old).delete, []);
});

test("replacing with surge: new ones beside the old, which go when the new are available", () => {
  const old = [pod("a0", "n0", "old"), pod("a1", "n1", "old")];
  assert.deepEqual(planned(daemonSet(rolling(0, 1)), 2, old), { create: ["n0"], delete: [] });
  const surging = [...old, pod("b2", "n0", "new", { status: notReady })];
  assert.deepEqual(planned(daemonSet(rolling(0, 1)), 2, surging), { create: [], delete: [] });
  const available = [...old, pod("b2", "n0", "new")];
  assert.deepEqual(planned(daemonSet(rolling(0, 1)), 2, available), { create: ["n1"], delete: ["a0"] });
});

test("a pod is tied to its node by affinity, and tolerates its troubles", () => {
  const spec = daemonPodSpec({ containers: [], tolerations: [{ key: "gpu", operator: "Exists" }] }, "n1");
  assert.equal(nodeOf(testPod("a", { spec: { ...spec, nodeName: "" } })), "n1");
  const keys = spec.tolerations?.map(({ key, effect }) => [key, effect ?? ""].join(":"));
  assert.ok(keys?.includes("gpu:") && keys.includes("node.kubernetes.io/not-ready:NoExecute"));
  assert.ok(keys?.includes("node.kubernetes.io/unschedulable:NoSchedule"));
  assert.ok(!keys?.includes("node.kubernetes.io/network-unavailable:NoSchedule"));
});

test("status: a surging node counts as updated only when its old pod is gone", () => {
  const surging = [pod("a0", "n0", "old"), pod("b1", "n0", "new", { status: notReady })];
  const status = daemonSetStatus(daemonSet(), "new", nodes(2), surging);
  assert.deepEqual(status, {
    observedGeneration: 3,
    desiredNumberScheduled: 2,
    currentNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: 1,
    updatedNumberScheduled: 0,
    numberAvailable: 1,
    numberUnavailable: 1,
  });
  const tainted = testNode({ name: "n0", spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] } });
  const misscheduled = daemonSetStatus(daemonSet(), "new", [tainted], [pod("a0", "n0", "new")]);
  assert.deepEqual([misscheduled.desiredNumberScheduled, misscheduled.numberMisscheduled], [0, 1]);
});
