import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { explainCauses, unreadyObjects } from "./unready.ts";

const object = (kind: string, fields: object): KubeObject => ({
  apiVersion: "v1",
  kind,
  ...fields,
  metadata: { name: "a", namespace: "demo", generation: 2 },
});
const condition = (type: string, status: string, more: object = {}) => ({
  type,
  status,
  reason: "Why",
  message: "because",
  ...more,
});

const cases: [string, KubeObject, string | undefined][] = [
  ["a ready pod", object("Pod", { status: { conditions: [condition("Ready", "True")] } }), undefined],
  ["a completed pod", object("Pod", { status: { phase: "Succeeded" } }), undefined],
  [
    "a pod whose image is unknown",
    object("Pod", {
      status: { containerStatuses: [{ state: { waiting: { reason: "ErrImagePull", message: "not built in" } } }] },
    }),
    "ErrImagePull: not built in",
  ],
  [
    "an unscheduled pod",
    object("Pod", { status: { conditions: [condition("PodScheduled", "False", { message: "no node" })] } }),
    "no node",
  ],
  [
    "a deployment that is complete",
    object("Deployment", {
      spec: { replicas: 2 },
      status: { observedGeneration: 2, availableReplicas: 2, updatedReplicas: 2 },
    }),
    undefined,
  ],
  [
    "a deployment not yet observed",
    object("Deployment", { spec: { replicas: 0 }, status: { observedGeneration: 1 } }),
    "0 of 0 replicas available",
  ],
  [
    "a daemon set without pods",
    object("DaemonSet", { status: { observedGeneration: 2, desiredNumberScheduled: 0 } }),
    "0 of 0 pods available",
  ],
  [
    "a programmed gateway",
    object("Gateway", { status: { conditions: [condition("Accepted", "True"), condition("Programmed", "True")] } }),
    undefined,
  ],
  [
    "a gateway that is not programmed",
    object("Gateway", { status: { conditions: [condition("Accepted", "True"), condition("Programmed", "False")] } }),
    "Programmed is False (Why): because",
  ],
  ["a route nobody took", object("HTTPRoute", {}), "no Gateway has taken it: check spec.parentRefs"],
  [
    "a route accepted at an older generation",
    object("HTTPRoute", {
      status: {
        parents: [
          {
            parentRef: { name: "g" },
            conditions: [condition("Accepted", "True", { observedGeneration: 1 }), condition("ResolvedRefs", "True")],
          },
        ],
      },
    }),
    "by Gateway g: the latest change is not taken up yet",
  ],
];

for (const [what, candidate, reason] of cases) {
  test(`${what} is ${reason === undefined ? "ready" : "not ready"}`, () => {
    const expected = reason === undefined ? [] : [{ object: `${candidate.kind.toLowerCase()}/demo/a`, reason }];
    assert.deepEqual(unreadyObjects([candidate]), expected);
  });
}

const named = (kind: string, name: string, fields: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind,
  ...fields,
  metadata: { name, namespace: "demo", generation: 1 },
});
const programmed = { conditions: [condition("Accepted", "True"), condition("Programmed", "True")] };
const acceptedClass = named("GatewayClass", "traefik", { status: { conditions: [condition("Accepted", "True")] } });

test("a Gateway whose class is missing is not ready, whatever its status said once", () => {
  const gateway = named("Gateway", "g", { spec: { gatewayClassName: "nope" }, status: programmed });
  const told = (all: KubeObject[]) => unreadyObjects(all).map(({ reason }) => reason);
  assert.deepEqual(told([gateway, acceptedClass]), [
    'there is no GatewayClass "nope": set spec.gatewayClassName to traefik, or create it',
  ]);
  assert.deepEqual(told([gateway]), ['there is no GatewayClass "nope": create it']);
  const right = named("Gateway", "g", { spec: { gatewayClassName: "traefik" }, status: programmed });
  assert.deepEqual(told([right, acceptedClass]), []);
});

test("a route nobody took says which Gateway is missing", () => {
  const route = named("HTTPRoute", "r", {
    spec: { parentRefs: [{ name: "g" }, { name: "away", namespace: "other" }] },
  });
  const gateway = named("Gateway", "g", { spec: { gatewayClassName: "traefik" }, status: programmed });
  const told = (all: KubeObject[]) => unreadyObjects(all).map(({ reason }) => reason);
  const missing = (name: string, namespace: string): string =>
    `there is no Gateway "${name}" in namespace "${namespace}": create it or correct spec.parentRefs`;
  assert.deepEqual(told([route]), [missing("g", "demo")]);
  assert.deepEqual(told([route, gateway, acceptedClass]), [missing("away", "other")]);
});

test("pods are the causes, what waits for them is counted; without pods everything is named", () => {
  const pod = { object: "pod/traefik/a", reason: "CrashLoopBackOff" };
  const others = [
    { object: "daemonset/traefik/traefik", reason: "0 of 1 pods available" },
    { object: "httproute/demo/a", reason: "no Gateway has taken it" },
  ];
  assert.equal(explainCauses([pod, ...others]), "pod/traefik/a: CrashLoopBackOff (and 2 more that wait for it)");
  assert.equal(explainCauses([pod]), "pod/traefik/a: CrashLoopBackOff");
  assert.equal(
    explainCauses(others),
    "daemonset/traefik/traefik: 0 of 1 pods available; httproute/demo/a: no Gateway has taken it",
  );
});
