import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "@gatehouse/apimachinery/types/core-v1";
import { reasonAgainst, unschedulableMessage } from "./scheduling.ts";
import { testNode, testPod } from "./testing-objects.ts";

const reason = (spec: Partial<PodSpec>, node = testNode(), others: Partial<PodSpec>[] = []): string | undefined =>
  reasonAgainst(
    testPod("new", { spec: { nodeName: "", ...spec } }),
    node,
    others.map((other, index) => testPod(`other-${index}`, { spec: other })),
  );
const hostPort = (port: number, more: { hostIP?: string; protocol?: "TCP" | "UDP" } = {}): Partial<PodSpec> => ({
  containers: [{ name: "main", image: "web", ports: [{ containerPort: 8000, hostPort: port, ...more }] }],
});
const affinity = (matchExpressions: object[]) => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
  },
});

test("taints, cordon and readiness", () => {
  const tainted = testNode({ spec: { taints: [{ key: "gpu", value: "a", effect: "NoSchedule" }] } });
  assert.equal(reason({}, tainted), "node(s) had untolerated taint {gpu: a}");
  assert.equal(reason({ tolerations: [{ key: "gpu", value: "a" }] }, tainted), undefined);
  assert.equal(
    reason({ tolerations: [{ key: "gpu", value: "b" }] }, tainted),
    "node(s) had untolerated taint {gpu: a}",
  );
  assert.equal(
    reason({ tolerations: [{ key: "gpu", operator: "Exists", effect: "NoExecute" }] }, tainted),
    "node(s) had untolerated taint {gpu: a}",
  );
  assert.equal(reason({ tolerations: [{ operator: "Exists" }] }, tainted), undefined);
  assert.equal(reason({}, testNode({ spec: { taints: [{ key: "gpu", effect: "PreferNoSchedule" }] } })), undefined);
  assert.equal(reason({}, testNode({ spec: { unschedulable: true } })), "node(s) were unschedulable");
  assert.equal(
    reason({}, testNode({ ready: false })),
    "node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
  );
});

test("node name, selector and affinity", () => {
  const node = testNode({ labels: { disk: "ssd", cpus: "8" } });
  const mismatch = "node(s) didn't match Pod's node affinity/selector";
  assert.equal(reason({ nodeName: "other" }, node), "node(s) didn't match the requested node name");
  assert.equal(reason({ nodeSelector: { disk: "ssd" } }, node), undefined);
  assert.equal(reason({ nodeSelector: { disk: "hdd" } }, node), mismatch);
  const cases: [object, boolean][] = [
    [{ key: "disk", operator: "In", values: ["ssd"] }, true],
    [{ key: "disk", operator: "NotIn", values: ["ssd"] }, false],
    [{ key: "gpu", operator: "NotIn", values: ["a"] }, true],
    [{ key: "gpu", operator: "Exists" }, false],
    [{ key: "gpu", operator: "DoesNotExist" }, true],
    [{ key: "cpus", operator: "Gt", values: ["4"] }, true],
    [{ key: "cpus", operator: "Lt", values: ["4"] }, false],
    [{ key: "gpu", operator: "Gt", values: ["4"] }, false],
  ];
  for (const [expression, fits] of cases) {
    assert.equal(reason(affinity([expression]), node), fits ? undefined : mismatch, JSON.stringify(expression));
  }
  assert.equal(reason(affinity([]), node), mismatch, "an empty term matches nothing");
});

test("host ports: same port, protocol and overlapping address collide", () => {
  const taken = "node(s) didn't have free ports for the requested pod ports";
  assert.equal(reason(hostPort(80), testNode(), [hostPort(80)]), taken);
  assert.equal(reason(hostPort(80), testNode(), [hostPort(81)]), undefined);
  assert.equal(reason(hostPort(80), testNode(), [hostPort(80, { protocol: "UDP" })]), undefined);
  assert.equal(
    reason(hostPort(80, { hostIP: "127.0.0.1" }), testNode(), [hostPort(80, { hostIP: "127.0.0.2" })]),
    undefined,
  );
  assert.equal(reason(hostPort(80, { hostIP: "127.0.0.1" }), testNode(), [hostPort(80)]), taken);
  assert.equal(reason({ ...hostPort(0), hostNetwork: true }, testNode(), [hostPort(8000)]), taken);
});

test("the message counts equal reasons", () => {
  assert.equal(unschedulableMessage([]), "no nodes available to schedule pods");
  assert.equal(unschedulableMessage(["b", "a", "b"]), "0/3 nodes are available: 1 a, 2 b.");
});
