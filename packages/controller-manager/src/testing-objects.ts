// Objects for this package's unit tests.

import type { Deployment, ReplicaSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { Node, Pod } from "@gatehouse/apimachinery/types/core-v1";

let sequence = 0;

/** A pod of `demo`, running on `node` and ready since 2026 unless told otherwise. */
export function testPod(
  name: string,
  change: { spec?: Partial<Pod["spec"]>; status?: Pod["status"]; metadata?: Partial<Pod["metadata"]> } = {},
): Pod {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "demo",
      uid: `uid-${name}`,
      resourceVersion: String(++sequence),
      creationTimestamp: lastTransitionTime,
      labels: { app: "web" },
      ...change.metadata,
    },
    spec: {
      nodeName: "node",
      containers: [{ name: "main", image: "web", ports: [{ name: "http", containerPort: 80 }] }],
      ...change.spec,
    },
    status: {
      phase: "Running",
      podIP: "127.30.1.1",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime }],
      ...change.status,
    },
  };
}

export const notReady: Pod["status"] = { conditions: [{ type: "Ready", status: "False" }] };

export function testNode(
  change: { spec?: Node["spec"]; labels?: Record<string, string>; ready?: boolean; name?: string } = {},
): Node {
  const { spec = {}, labels = {}, ready = true, name = "node" } = change;
  const status = ready ? "True" : "False";
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels },
    spec,
    status: { conditions: [{ type: "Ready", status, reason: "", message: "", lastTransitionTime: "" }] },
  };
}

export function testDeployment(spec: Partial<Deployment["spec"]> = {}, status?: Deployment["status"]): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "demo", uid: "uid-web", generation: 1 },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "web" }] } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      progressDeadlineSeconds: 600,
      ...spec,
    },
    ...(status ? { status } : {}),
  };
}

/** A ReplicaSet of `replicas`, of which `available` are; older ones have smaller `age`. */
export function testReplicaSet(
  name: string,
  replicas: number,
  available = replicas,
  annotations: Record<string, string> = {},
  age = 1,
): ReplicaSet {
  const template = testDeployment().spec.template;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace: "demo",
      uid: `uid-${name}`,
      generation: 1,
      annotations,
      creationTimestamp: `2026-01-0${age}T00:00:00Z`,
    },
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template },
    status: { replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}
