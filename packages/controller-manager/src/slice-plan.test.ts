import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, Service } from "@gatehouse/apimachinery/types/core-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import { endpointGroups, hasManagedEndpoints } from "./endpoint-plan.ts";
import { endpointsOf } from "./endpoints.ts";
import { planSlices, type SlicePlan } from "./slice-plan.ts";
import { notReady, testPod } from "./testing-objects.ts";

const service = (spec: Partial<Service["spec"]> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "demo", uid: "uid-service", labels: { team: "a" } },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec },
});
const plan = (pods: Pod[], present: EndpointSlice[] = [], of = service()): SlicePlan =>
  planSlices(of, endpointGroups(of, pods), present);
const counts = ({ create, update, delete: gone }: SlicePlan): number[] => [create.length, update.length, gone.length];
const portOf = (spec: Partial<Service["spec"]>, pod = testPod("a")): unknown =>
  endpointGroups(service(spec), [pod]).map(({ ports }) => ports.map(({ port }) => port));

test("target ports: by name, by number, absent, mapped; a name the pod lacks is left out", () => {
  assert.deepEqual(portOf({}), [[80]]);
  assert.deepEqual(portOf({ ports: [{ port: 8080, targetPort: 3000 }] }), [[3000]]);
  assert.deepEqual(portOf({ ports: [{ port: 8080 }] }), [[8080]]);
  assert.deepEqual(portOf({ ports: [{ port: 80, targetPort: "admin" }] }), [[]]);
  assert.deepEqual(portOf({ ports: [{ port: 80, targetPort: "http", protocol: "UDP" }] }), [[]]);
  const mapped = (value: string) => testPod("a", { metadata: { annotations: { "gatehouse.dev/port-map": value } } });
  assert.deepEqual(portOf({}, mapped('{"80/tcp":34567}')), [[34567]]);
  assert.deepEqual(portOf({}, mapped('{"81/tcp":34567}')), [[80]]);
  assert.deepEqual(portOf({}, mapped("no json")), [[80]]);
});

test("which pods are endpoints: selected, with an address, not ended", () => {
  const pods = [
    testPod("in"),
    testPod("other", { metadata: { labels: { app: "other" } } }),
    testPod("no-address", { status: { podIP: "" } }),
    testPod("ended", { status: { phase: "Succeeded" } }),
  ];
  const names = endpointGroups(service(), pods).flatMap(({ endpoints }) =>
    endpoints.map(({ targetRef }) => targetRef?.name),
  );
  assert.deepEqual(names, ["in"]);
});

test("conditions of ready, unready and terminating pods, also when all addresses are published", () => {
  const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };
  const cases: [Pod, boolean, object][] = [
    [testPod("a"), false, { ready: true, serving: true, terminating: false }],
    [testPod("a", { status: notReady }), false, { ready: false, serving: false, terminating: false }],
    [testPod("a", { metadata: going }), false, { ready: false, serving: true, terminating: true }],
    [testPod("a", { status: notReady }), true, { ready: true, serving: false, terminating: false }],
    [testPod("a", { metadata: going }), true, { ready: true, serving: true, terminating: true }],
  ];
  for (const [pod, publishNotReadyAddresses, expected] of cases) {
    const [group] = endpointGroups(service({ publishNotReadyAddresses }), [pod]);
    assert.deepEqual(group?.endpoints[0]?.conditions, expected);
  }
});

test("Services without selector, or ExternalName, have no endpoints of ours", () => {
  const { selector: _, ...manual } = service().spec;
  assert.equal(hasManagedEndpoints(service()), true);
  assert.equal(hasManagedEndpoints({ ...service(), spec: manual }), false);
  assert.equal(hasManagedEndpoints(service({ selector: {} })), false);
  assert.equal(hasManagedEndpoints(service({ type: "ExternalName" })), false);
});

test("one slice is kept however empty, filled in place, and unchanged endpoints change nothing", () => {
  const [placeholder] = plan([]).create as [EndpointSlice];
  assert.deepEqual(counts(plan([], [placeholder])), [0, 0, 0]);
  const filled = plan([testPod("a")], [placeholder]);
  assert.deepEqual(counts(filled), [0, 1, 0]);
  const [slice] = filled.update as [EndpointSlice];
  assert.equal(slice.metadata.name, placeholder.metadata.name);
  assert.equal(slice.metadata.labels?.["team"], "a");
  assert.deepEqual(counts(plan([testPod("a")], [slice])), [0, 0, 0]);
  assert.deepEqual(counts(plan([testPod("a", { status: notReady })], [slice])), [0, 1, 0]);
  assert.deepEqual(counts(plan([], [slice])), [0, 1, 0]);
});

test("one slice per port set; a change of port rewrites the slice in place", () => {
  const [slice] = plan([testPod("a")]).create as [EndpointSlice];
  const elsewhere = { metadata: { annotations: { "gatehouse.dev/port-map": '{"80/tcp":1}' } } };
  assert.deepEqual(counts(plan([testPod("a"), testPod("b", elsewhere)], [slice])), [1, 0, 0]);
  const moved = plan([testPod("a", elsewhere)], [slice]);
  assert.deepEqual(counts(moved), [0, 1, 0]);
  assert.deepEqual([moved.update[0]?.metadata.name, moved.update[0]?.ports?.[0]?.port], [slice.metadata.name, 1]);
});

test("at most 100 endpoints a slice; endpoints stay where they are and gaps are filled", () => {
  const pods = Array.from({ length: 150 }, (_, index) => testPod(`p${String(index).padStart(3, "0")}`));
  const { create } = plan(pods);
  assert.deepEqual(
    create.map(({ endpoints }) => endpoints.length),
    [100, 50],
  );
  const fewer = plan(pods.slice(1), create);
  assert.deepEqual(counts(fewer), [0, 1, 0]);
  assert.equal(fewer.update[0]?.endpoints.length, 99);
  const none = plan([], create);
  assert.deepEqual(counts(none), [0, 1, 1]);
});

test("Endpoints list ready and unready addresses apart, and terminating ones not at all", () => {
  const pods = [
    testPod("a"),
    testPod("b", { status: notReady }),
    testPod("c", { metadata: { deletionTimestamp: "x" } }),
  ];
  const [subset, ...rest] = endpointsOf(service(), endpointGroups(service(), pods)).subsets ?? [];
  assert.deepEqual(rest, []);
  assert.deepEqual(
    subset?.addresses?.map(({ targetRef }) => targetRef?.name),
    ["a"],
  );
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ targetRef }) => targetRef?.name),
    ["b"],
  );
  assert.deepEqual(subset?.ports, [{ name: "http", port: 80, protocol: "TCP" }]);
});
