import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod, Service } from "@gatehouse/apimachinery/types/core-v1";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import { type EntryFacts, entryCandidates, type FrontService, hostAndPort } from "./entry-candidates.ts";

const gateway = (addresses: string[], ...listeners: object[]): Gateway =>
  ({
    metadata: { name: "web", namespace: "infra" },
    spec: { gatewayClassName: "x", listeners },
    status: { addresses: addresses.map((value) => ({ value })) },
  }) as never;

function front(spec: Service["spec"], ingress: object[] = [], pods: Pod[] = []): FrontService {
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "traefik", namespace: "infra" },
    spec,
    status: { loadBalancer: { ingress } },
  };
  return { service, pods };
}

const pod = (ports: object[], spec: object = {}, hostIP = "192.0.2.9"): Pod =>
  ({
    metadata: { name: "p", namespace: "infra" },
    spec: { nodeName: "n1", containers: [{ name: "c", image: "i", ports }], ...spec },
    status: { hostIP },
  }) as never;

const node = (...addresses: [type: string, address: string][]): Node =>
  ({
    metadata: { name: "n1" },
    status: { addresses: addresses.map(([type, address]) => ({ type, address })) },
  }) as never;

const http = { name: "web", protocol: "HTTP", port: 8000 };
const https = { name: "websecure", protocol: "HTTPS", port: 8443 };
const ports = [
  { name: "web", port: 80, targetPort: "web", nodePort: 30080 },
  { name: "websecure", port: 443, targetPort: 8443, nodePort: 30443 },
  { name: "dns", port: 8000, protocol: "UDP" as const, nodePort: 30053 },
];
const podPorts = [
  { name: "web", containerPort: 8000, hostPort: 80 },
  { name: "websecure", containerPort: 8443, hostPort: 443 },
];

function candidates(facts: Partial<EntryFacts>): string[] {
  const all = { gateways: [], fronts: [], nodes: [], listenerPort: undefined, scheme: "http" as const, ...facts };
  return entryCandidates(all).map((candidate) => hostAndPort(candidate));
}

const cases: [what: string, facts: Partial<EntryFacts>, expected: string[]][] = [
  ["nothing is known", {}, []],
  [
    "an address of its own opens the listener's port",
    { gateways: [gateway(["192.0.2.1"], http, https)] },
    ["192.0.2.1:8000"],
  ],
  ["the other scheme", { gateways: [gateway(["192.0.2.1"], http, https)], scheme: "https" }, ["192.0.2.1:8443"]],
  [
    "an address that is a Service's has that Service's port",
    {
      gateways: [gateway(["192.0.2.1"], http)],
      fronts: [
        front({ type: "LoadBalancer", ports }, [{ ip: "192.0.2.1" }], [pod([{ name: "web", containerPort: 8000 }])]),
      ],
    },
    ["192.0.2.1:80", "192.0.2.1:8000"],
  ],
  [
    "a load balancer's name, by the port that leads to the listener",
    { fronts: [front({ type: "LoadBalancer", ports }, [{ hostname: "lb.test" }])], listenerPort: 8443 },
    ["lb.test:443"],
  ],
  [
    "node ports on outer addresses first, the node's mere name never",
    {
      fronts: [front({ type: "NodePort", ports })],
      nodes: [
        node(["Hostname", "n1"], ["InternalIP", "10.0.0.1"], ["ExternalIP", "192.0.2.5"], ["InternalIP", "fd00::1"]),
      ],
      listenerPort: 8443,
    },
    ["192.0.2.5:30443", "10.0.0.1:30443", "[fd00::1]:30443"],
  ],
  [
    "host ports of pods",
    {
      fronts: [front({ type: "ClusterIP", ports: [] }, [], [pod(podPorts)])],
      nodes: [node(["InternalIP", "10.0.0.1"])],
      listenerPort: 8000,
    },
    ["10.0.0.1:80", "192.0.2.9:80"],
  ],
  [
    "a pod in the host's network",
    { fronts: [front({ ports: [] }, [], [pod([], { hostNetwork: true })])], listenerPort: 8000 },
    ["192.0.2.9:8000"],
  ],
  [
    "a port that leads elsewhere",
    { fronts: [front({ type: "LoadBalancer", ports }, [{ ip: "192.0.2.1" }])], listenerPort: 9999 },
    [],
  ],
];

for (const [what, facts, expected] of cases) {
  test(`entries: ${what}`, () => assert.deepEqual(candidates(facts), expected));
}

test("each candidate says where it comes from", () => {
  const [first] = entryCandidates({
    gateways: [gateway(["192.0.2.1"], http)],
    fronts: [],
    nodes: [],
    listenerPort: 8000,
    scheme: "http",
  });
  assert.equal(first?.how, "status address of Gateway infra/web");
});
