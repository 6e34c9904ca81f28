import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import { ingressOf, openingsOf, unsupportedPorts } from "./openings.ts";
import { refusalOf, tooManyPlaces } from "./refusal.ts";

const node = { nodeIP: "127.30.0.1", portMappings: [{ containerPort: 80, hostPort: 8080 }] };
const serviceOf = (spec: Service["spec"]): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "demo" },
  spec,
});
const ports = [
  { name: "http", port: 80, nodePort: 30080 },
  { name: "admin", port: 9000, nodePort: 30900, protocol: "TCP" as const },
  { name: "dns", port: 53, nodePort: 30053, protocol: "UDP" as const },
];
const places = (service: Service): string[] =>
  openingsOf(service, node).map(({ place, use, portName }) => `${place.host}:${place.port} ${use} ${portName}`);

test("a LoadBalancer has its ports and its node ports on the node's address", () => {
  assert.deepEqual(places(serviceOf({ type: "LoadBalancer", ports })), [
    "127.30.0.1:80 loadBalancer http",
    "127.30.0.1:30080 nodePort http",
    "127.30.0.1:9000 loadBalancer admin",
    "127.30.0.1:30900 nodePort admin",
  ]);
});

test("a node port that the cluster maps to the host is opened there too", () => {
  const [web, nodePort] = openingsOf(serviceOf({ type: "LoadBalancer", ports }), node);
  assert.deepEqual(web?.mapped, [
    { host: "127.0.0.1", port: 8080 },
    { host: "::1", port: 8080 },
  ]);
  assert.deepEqual(nodePort?.mapped, []);
});

test("on a host with 127.0.0.1 only no place is wanted twice", () => {
  const only = { nodeIP: "127.0.0.1", portMappings: [{ containerPort: 80, hostPort: 80 }] };
  const [web] = openingsOf(serviceOf({ type: "LoadBalancer", ports }), only);
  assert.deepEqual(web?.place, { host: "127.0.0.1", port: 80 });
  assert.deepEqual(web?.mapped, [{ host: "::1", port: 80 }]);
});

test("a NodePort has its node ports only, and so has another implementation's LoadBalancer", () => {
  const nodePorts = ["127.30.0.1:30080 nodePort http", "127.30.0.1:30900 nodePort admin"];
  assert.deepEqual(places(serviceOf({ type: "NodePort", ports })), nodePorts);
  assert.deepEqual(places(serviceOf({ type: "LoadBalancer", loadBalancerClass: "example.com/x", ports })), nodePorts);
});

test("no other Service has ports on the node", () => {
  for (const type of ["ClusterIP", "ExternalName", undefined] as const) {
    const service = serviceOf({ ...(type ? { type } : {}), ports });
    assert.deepEqual(places(service), []);
    assert.deepEqual(unsupportedPorts(service), []);
  }
});

test("UDP ports are named as what cannot be carried", () => {
  assert.deepEqual(
    unsupportedPorts(serviceOf({ type: "NodePort", ports })).map(({ name }) => name),
    ["dns"],
  );
});

test("the status has the node's address when every load balancer port is open, node ports or not", () => {
  const service = serviceOf({ type: "LoadBalancer", ports });
  const openings = openingsOf(service, node);
  const ingress = [{ ip: "127.30.0.1", ipMode: "VIP" }];
  assert.deepEqual(
    ingressOf(service, openings, ({ use }) => use === "loadBalancer", node.nodeIP),
    ingress,
  );
  assert.deepEqual(
    ingressOf(service, openings, ({ place }) => place.port !== 9000, node.nodeIP),
    [],
  );
});

test("the status of a Service without a load balancer is empty, another implementation's is left alone", () => {
  const open = (): boolean => true;
  const nodePort = serviceOf({ type: "NodePort", ports });
  assert.deepEqual(ingressOf(nodePort, openingsOf(nodePort, node), open, node.nodeIP), []);
  const foreign = serviceOf({ type: "LoadBalancer", loadBalancerClass: "example.com/x", ports });
  assert.equal(ingressOf(foreign, openingsOf(foreign, node), open, node.nodeIP), undefined);
});

test("a refusal says where, why and what to do; a host without IPv6 is no refusal", () => {
  const place = { host: "127.30.0.1", port: 80 };
  assert.match(
    refusalOf(place, "EACCES", undefined) ?? "",
    /^127\.30\.0\.1:80 cannot be opened: .*choose a higher port/,
  );
  assert.match(refusalOf(place, "EADDRINUSE", undefined) ?? "", /hostPort of a pod or another program has it; choose/);
  assert.match(refusalOf(place, tooManyPlaces, undefined) ?? "", /Services have 1024 ports open on this node.*delete/);
  assert.match(refusalOf(place, "EADDRINUSE", "demo/first") ?? "", /Service demo\/first has it; choose/);
  assert.equal(refusalOf({ host: "::1", port: 80 }, "EADDRNOTAVAIL", undefined), undefined);
  assert.match(refusalOf({ host: "::1", port: 80 }, "EADDRINUSE", undefined) ?? "", /^\[::1\]:80 cannot/);
});
