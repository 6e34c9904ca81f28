import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import { type Backends, compareBackends, referencedServices } from "./compare-backends.ts";

function backends(ready: number, notReady = 0, spec: Service["spec"] = { ports: [{ port: 80 }] }): Backends {
  const endpoint = (index: number, isReady?: boolean) => ({
    addresses: [`10.0.0.${index}`],
    targetRef: { kind: "Pod", name: `pod-${index}` },
    ...(isReady === undefined ? {} : { conditions: { ready: isReady } }),
  });
  const slice = (family: "IPv4" | "IPv6"): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `s-${family}`, namespace: "demo", labels: { "kubernetes.io/service-name": "s" } },
    addressType: family,
    endpoints: [
      ...Array.from({ length: ready }, (_, index) => endpoint(index)),
      ...Array.from({ length: notReady }, (_, index) => endpoint(100 + index, false)),
    ],
  });
  const service: Service = { apiVersion: "v1", kind: "Service", metadata: { name: "s", namespace: "demo" }, spec };
  // Two families of the same pods: each pod counts once.
  return { services: [service], slices: [slice("IPv4"), slice("IPv6")] };
}

const nothing: Backends = { services: [], slices: [] };

test("the Services of routes, with the route's namespace where none is written", () => {
  const route = (backendRefs: object[]): KubeObject => ({
    apiVersion: "x",
    kind: "HTTPRoute",
    metadata: { name: "r", namespace: "demo" },
    spec: { rules: [{ backendRefs }, {}] },
  });
  const routes = [
    route([{ name: "a" }, { name: "b", namespace: "other", kind: "Service", group: "" }]),
    route([{ name: "a" }, { name: "c", group: "x.io", kind: "Thing" }]),
  ];
  assert.deepEqual([...referencedServices(routes)], ["demo/a", "other/b"]);
});

const cases: [what: string, a: Backends, b: Backends, differences: unknown[], notes: unknown[]][] = [
  ["the same", backends(2), backends(2, 1), [], []],
  ["missing in both", nothing, nothing, [], []],
  ["missing in one", backends(0), nothing, [{ field: "object", a: "there", b: null }], []],
  ["none ready in one", backends(2), backends(0, 2), [{ field: "ready endpoints", a: 2, b: 0 }], []],
  ["another number", backends(2), backends(3), [], [{ field: "ready endpoints", a: 2, b: 3 }]],
  [
    "another port",
    backends(1),
    backends(1, 0, { ports: [{ port: 81 }] }),
    [{ field: "ports", a: "80/TCP", b: "81/TCP" }],
    [],
  ],
  [
    "an external name",
    backends(0, 0, { type: "ExternalName", externalName: "a.test" }),
    backends(0, 0, { type: "ExternalName", externalName: "b.test" }),
    [{ field: "externalName", a: "a.test", b: "b.test" }],
    [],
  ],
];

for (const [what, a, b, differences, notes] of cases) {
  test(`a Service: ${what}`, () => {
    assert.deepEqual(compareBackends(["demo/s"], a, b), [{ object: "Service demo/s", differences, notes }]);
  });
}
