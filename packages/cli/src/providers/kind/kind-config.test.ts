import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { kindConfig } from "./kind-config.ts";
import { clusterMark } from "./kind-state.ts";

const mark = clusterMark("/home/u/.gatehouse/kind/second");
const mappings = [
  { containerPort: 80, hostPort: 8080 },
  { containerPort: 443, hostPort: 8443 },
];

test("kind/cluster.yaml with the name and the ports of this cluster, the rest as it is", () => {
  assert.deepEqual(parse(kindConfig("second", mappings, "/home/u/.gatehouse/kind/second")), {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name: "second",
    nodes: [
      {
        role: "control-plane",
        extraPortMappings: [
          { containerPort: 80, hostPort: 8080, listenAddress: "127.0.0.1", protocol: "TCP" },
          { containerPort: 443, hostPort: 8443, listenAddress: "127.0.0.1", protocol: "TCP" },
        ],
        extraMounts: [
          { hostPath: `/home/u/.gatehouse/kind/second/${mark}`, containerPath: `/${mark}`, readOnly: true },
        ],
      },
    ],
  });
});

test("comments stay; a port that nobody chose stays, too", () => {
  const text = kindConfig("gatehouse", mappings.slice(1), "/state");
  assert.match(text, /^# The kind cluster of the demo/);
  const { nodes } = parse(text) as { nodes: { extraPortMappings: { hostPort: number }[] }[] };
  assert.deepEqual(
    nodes[0]?.extraPortMappings.map(({ hostPort }) => hostPort),
    [80, 8443],
  );
});
