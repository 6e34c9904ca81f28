import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { restoredObject } from "./restored-objects.ts";

const [from, to] = ["gatehouse-control-plane", "gatehouse-copy-control-plane"];
const matchFields = (name: string) => [{ key: "metadata.name", operator: "In", values: [name] }];
const pod = (phase: string, node = from): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "demo" },
  spec: {
    nodeName: node,
    containers: [],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: matchFields(node) }] },
      },
    },
  },
  status: { phase, podIP: "127.16.1.1", qosClass: "Burstable", conditions: [{ type: "Ready", status: "True" }] },
});

test("a pod that ran is not believed, one that is over is", () => {
  const running = restoredObject("/pods", pod("Running"), from, from);
  assert.deepEqual(running?.status, { phase: "Pending", qosClass: "Burstable" });
  const over = pod("Succeeded");
  assert.equal(restoredObject("/pods", over, from, from), over);
});

test("under another name pods move to the new node, those of other nodes do not", () => {
  const moved = restoredObject("/pods", pod("Running"), from, to);
  assert.deepEqual(moved?.spec, pod("Running", to).spec);
  assert.deepEqual(restoredObject("/pods", pod("Running", "other"), from, to)?.spec, pod("Running", "other").spec);
});

test("the old node goes, everything else stays what it is", () => {
  const node = { apiVersion: "v1", kind: "Node", metadata: { name: from } };
  assert.equal(restoredObject("/nodes", node, from, to), null);
  assert.equal(restoredObject("/nodes", node, from, from), node);
  assert.equal(restoredObject("/configmaps", node, from, to), node);
});
