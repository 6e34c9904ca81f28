import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import type { Endpoint, EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import { affinityOf, createBalancer, endpointsOf } from "./endpoints.ts";

const sliceOf = (
  endpoints: Endpoint[],
  ports: EndpointSlice["ports"] = [{ name: "http", port: 80 }],
): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "web-1", namespace: "demo" },
  addressType: "IPv4",
  endpoints,
  ports,
});
const at = (address: string, conditions?: Endpoint["conditions"]): Endpoint => ({
  addresses: [address],
  ...(conditions ? { conditions } : {}),
});
const hosts = (slices: EndpointSlice[], name = "http"): string[] => endpointsOf(slices, name).map(({ host }) => host);

test("ready endpoints, and those that do not say; never those that are not ready", () => {
  const endpoints = [at("10.0.0.1", { ready: true }), at("10.0.0.2"), at("10.0.0.3", { ready: false })];
  assert.deepEqual(hosts([sliceOf(endpoints)]), ["10.0.0.1", "10.0.0.2"]);
});

test("terminating endpoints that still serve are used only when no other is there", () => {
  const leaving = at("10.0.0.1", { ready: false, serving: true, terminating: true });
  const dead = at("10.0.0.2", { ready: false, serving: false, terminating: true });
  assert.deepEqual(hosts([sliceOf([leaving, dead])]), ["10.0.0.1"]);
  assert.deepEqual(hosts([sliceOf([leaving, dead]), sliceOf([at("10.0.0.3")])]), ["10.0.0.3"]);
});

test("the port is found by name in each slice: pods may have it at different numbers", () => {
  const slices = [
    sliceOf([at("10.0.0.1")], [{ name: "http", port: 8080 }]),
    sliceOf([at("10.0.0.2")], [{ name: "http", port: 9090 }]),
    sliceOf([at("10.0.0.3")], [{ name: "admin", port: 1 }]),
    sliceOf([at("10.0.0.4")], [{ name: "http", port: 2, protocol: "UDP" }]),
  ];
  assert.deepEqual(endpointsOf(slices, "http"), [
    { host: "10.0.0.1", port: 8080 },
    { host: "10.0.0.2", port: 9090 },
  ]);
  assert.deepEqual(endpointsOf([sliceOf([at("10.0.0.1")], [{ port: 5 }])], ""), [{ host: "10.0.0.1", port: 5 }]);
});

test("an endpoint in two slices counts once; names instead of addresses are left out", () => {
  const twice = [sliceOf([at("10.0.0.1")]), sliceOf([at("10.0.0.1")])];
  assert.deepEqual(hosts(twice), ["10.0.0.1"]);
  assert.deepEqual(hosts([{ ...sliceOf([at("example.com")]), addressType: "FQDN" }]), []);
});

const targets = ["a", "b", "c"].map((host) => ({ host, port: 80 }));

test("connections go round; each knows all the others as its next choices", () => {
  const choose = createBalancer(() => targets, undefined);
  const firsts = Array.from({ length: 4 }, () => [...choose("x")].map(({ host }) => host).join(""));
  assert.deepEqual(firsts, ["abc", "bca", "cab", "abc"]);
  assert.deepEqual([...createBalancer(() => [], undefined)("x")], []);
});

test("affinity: a client stays where it got through, until its time is over or the endpoint is gone", () => {
  let now = 0;
  let present = targets;
  const choose = createBalancer(
    () => present,
    1_000,
    () => now,
  );
  const connect = (client: string, refused: string[] = []): string | undefined => {
    for (const { host } of choose(client)) if (!refused.includes(host)) return host;
    return undefined;
  };
  assert.equal(connect("x"), "a");
  assert.equal(connect("y"), "b");
  assert.equal(connect("x"), "a");
  assert.equal(connect("x", ["a"]), "c");
  assert.equal(connect("x"), "c");
  now = 999;
  assert.equal(connect("x"), "c");
  present = targets.slice(0, 2);
  assert.equal(connect("x"), "b");
  present = targets;
  assert.equal(connect("x"), "b");
  now += 1_000;
  assert.equal(connect("x"), "b", "as it comes round");
  assert.equal(connect("y"), "c", "its time was over long ago");
});

test("affinity is of the client's address, for three hours unless the Service says otherwise", () => {
  const service = (spec: Service["spec"]): Service => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec,
  });
  assert.equal(affinityOf(service({})), undefined);
  assert.equal(affinityOf(service({ sessionAffinity: "None" })), undefined);
  assert.equal(affinityOf(service({ sessionAffinity: "ClientIP" })), 10_800_000);
  const config = { clientIP: { timeoutSeconds: 5 } };
  assert.equal(affinityOf(service({ sessionAffinity: "ClientIP", sessionAffinityConfig: config })), 5_000);
});
