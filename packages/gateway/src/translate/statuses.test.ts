import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition } from "@gatehouse/apimachinery/meta";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import { fails, holds, mergeConditions } from "./conditions.ts";
import { type StatusUpdate, withStatus } from "./statuses.ts";

const condition = (changes: Partial<Condition> = {}): Condition => ({
  type: "Accepted",
  status: "True",
  reason: "Accepted",
  message: "fine",
  lastTransitionTime: "2025-01-01T00:00:00Z",
  observedGeneration: 1,
  ...changes,
});
const now = "2026-01-01T00:00:00Z";

const merges: [name: string, existing: Condition[], expected: Partial<Condition>][] = [
  ["a new condition is dated now", [], { lastTransitionTime: now, observedGeneration: 2 }],
  [
    "the same status keeps its time and moves its generation",
    [condition()],
    { lastTransitionTime: "2025-01-01T00:00:00Z", observedGeneration: 2 },
  ],
  [
    "another reason with the same status keeps its time",
    [condition({ reason: "Old" })],
    { lastTransitionTime: "2025-01-01T00:00:00Z", reason: "Accepted" },
  ],
  ["another status is dated now", [condition({ status: "False" })], { lastTransitionTime: now }],
  [
    "a newer generation than ours stays",
    [condition({ status: "False", observedGeneration: 3 })],
    { status: "False", observedGeneration: 3 },
  ],
];
for (const [name, existing, expected] of merges) {
  test(name, () => {
    const [merged, ...rest] = mergeConditions(existing, [holds("Accepted", "Accepted", "fine")], 2, now);
    assert.deepEqual({ ...merged, ...expected }, merged);
    assert.deepEqual(rest, []);
  });
}

test("conditions of others keep their place", () => {
  const theirs = condition({ type: "example.com/Checked" });
  const merged = mergeConditions(
    [theirs, condition()],
    [fails("Accepted", "Invalid", "no"), holds("Programmed", "Programmed", "")],
    1,
    now,
  );
  assert.deepEqual(
    merged.map(({ type }) => type),
    ["example.com/Checked", "Accepted", "Programmed"],
  );
  assert.equal(merged[0], theirs);
});

const gatewayClass: GatewayClass = {
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "GatewayClass",
  metadata: { name: "traefik", generation: 1 },
  spec: { controllerName: "traefik.io/gateway-controller" },
};

test("an object that says it all already is not written", () => {
  const update: StatusUpdate = {
    type: "class",
    object: gatewayClass,
    conditions: [holds("Accepted", "Accepted", "fine")],
    supportedFeatures: [{ name: "Gateway" }],
  };
  const written = withStatus(update, gatewayClass, now);
  assert.ok(written);
  assert.equal(withStatus(update, written, "2026-02-02T00:00:00Z"), undefined);
  assert.ok(withStatus({ ...update, supportedFeatures: [] }, written, now));
  assert.equal(gatewayClass.status, undefined);
});

function route(entries: number, controllerName: string): HTTPRoute {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "a", namespace: "demo", generation: 1 },
    spec: {},
    status: {
      parents: Array.from({ length: entries }, (_, index) => ({
        parentRef: { name: `g${index}` },
        controllerName,
        conditions: [condition()],
      })),
    },
  };
}

test("a route has at most 32 entries, and those of others are not pushed out", () => {
  const object = route(31, "example.com/other");
  const parents = ["x", "y"].map((name) => ({ ref: { name }, conditions: [holds("Accepted", "Accepted", "")] }));
  const update: StatusUpdate = {
    type: "parents",
    object,
    controllerName: "traefik.io/gateway-controller",
    relations: parents,
  };
  const written = withStatus(update, object, now) as HTTPRoute;
  assert.equal(written.status?.parents.length, 32);
  assert.equal(
    written.status?.parents.filter(({ controllerName }) => controllerName === "example.com/other").length,
    31,
  );
});

test("two parentRefs that differ by sectionName have an entry each", () => {
  const object = route(0, "");
  const parents = ["web", "other"].map((sectionName) => ({
    ref: { name: "g", sectionName },
    conditions: [holds("Accepted", "Accepted", "")],
  }));
  const update: StatusUpdate = { type: "parents", object, controllerName: "c", relations: parents };
  assert.equal((withStatus(update, object, now) as HTTPRoute).status?.parents.length, 2);
});
