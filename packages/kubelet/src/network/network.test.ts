// Addresses and ports: what is claimed, what is planned, and what happens when the host refuses.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import type { ContainerPort, Pod } from "@gatehouse/apimachinery/types/core-v1";
import { freePort, probeBind } from "./bind-probe.ts";
import { type ListenPlanOptions, planListeners } from "./listen-plan.ts";
import { clusterNetwork } from "./pod-addresses.ts";
import { claimSubnet } from "./subnet-claim.ts";

function podWith(ports: ContainerPort[]): Pod {
  const metadata = { name: "p", namespace: "demo" };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "c", image: "i", ports }] } };
}

/** Plans with a host that refuses the given `host:port` pairs. */
function plan(ports: ContainerPort[], refused: Record<string, string>, options: Partial<ListenPlanOptions> = {}) {
  return planListeners({
    pod: podWith(ports),
    podIP: "127.30.1.4",
    nodeIP: "127.30.0.1",
    sharedAddress: false,
    portMappings: [{ containerPort: 80, hostPort: 8080 }],
    exposedPorts: () => [],
    probe: (host, port) => Promise.resolve(refused[`${host}:${port}`]),
    freePort: () => Promise.resolve(34567),
    ...options,
  });
}

test("a port opens on the pod address; a hostPort on the node and, when mapped, on localhost", async () => {
  assert.deepEqual(await plan([{ containerPort: 8000, hostPort: 80 }, { containerPort: 9000 }], {}), {
    ports: {
      "8000/tcp": [
        { host: "127.30.1.4", port: 8000 },
        { host: "127.30.0.1", port: 80 },
        { host: "127.0.0.1", port: 8080 },
        { host: "::1", port: 8080 },
      ],
      "9000/tcp": [{ host: "127.30.1.4", port: 9000 }],
    },
    moved: {},
    warnings: [],
  });
});

test("a hostPort that no mapping names stays off localhost", async () => {
  const { ports } = await plan([{ containerPort: 8443, hostPort: 443 }], {});
  assert.deepEqual(
    ports["8443/tcp"]?.map(({ host }) => host),
    ["127.30.1.4", "127.30.0.1"],
  );
});

test("a refused privileged port moves to a free one and is recorded", async () => {
  const { ports, moved } = await plan([{ containerPort: 80 }], { "127.30.1.4:80": "EACCES" });
  assert.deepEqual(ports, { "80/tcp": [{ host: "127.30.1.4", port: 34567 }] });
  assert.deepEqual(moved, { "80/tcp": 34567 });
});

test("ports an image opens undeclared are planned too, once", async () => {
  const exposedPorts = (): string[] => ["80/tcp", "3000/tcp"];
  const { ports } = await plan([{ containerPort: 80 }], { "127.30.1.4:3000": "EADDRINUSE" }, { exposedPorts });
  assert.deepEqual(ports, {
    "80/tcp": [{ host: "127.30.1.4", port: 80 }],
    "3000/tcp": [{ host: "127.30.1.4", port: 34567 }],
  });
});

test("UDP ports are tried as such, and move like others", async () => {
  const asked: string[] = [];
  const probe: ListenPlanOptions["probe"] = (host, port, transport) => {
    asked.push(`${host}:${port}/${transport}`);
    return Promise.resolve(port === 53 && transport === "udp" ? "EACCES" : undefined);
  };
  const { ports, moved } = await plan([{ containerPort: 53 }], {}, { exposedPorts: () => ["53/udp"], probe });
  assert.deepEqual(asked, ["127.30.1.4:53/tcp", "127.30.1.4:53/udp"]);
  assert.deepEqual(ports, {
    "53/tcp": [{ host: "127.30.1.4", port: 53 }],
    "53/udp": [{ host: "127.30.1.4", port: 34567 }],
  });
  assert.deepEqual(moved, { "53/udp": 34567 });
});

test("a host port that is refused is a warning that says why; the rest is opened", async () => {
  const refused = { "127.0.0.1:8080": "EADDRINUSE", "::1:8080": "EADDRNOTAVAIL", "127.30.0.1:80": "EACCES" };
  const { ports, warnings, moved } = await plan([{ containerPort: 8000, hostPort: 80 }], refused);
  assert.deepEqual(ports["8000/tcp"], [{ host: "127.30.1.4", port: 8000 }]);
  assert.deepEqual(warnings, [
    "host port 80 is not open on 127.30.0.1:80: ports below 1024 need privileges here",
    "host port 80 is not open on 127.0.0.1:8080: another program holds it",
  ]);
  assert.deepEqual(moved, {});
});

test("with 127.0.0.1 only, every pod port moves and a mapped hostPort opens on localhost alone", async () => {
  const shared = { sharedAddress: true, podIP: "127.0.0.1", nodeIP: "127.0.0.1" };
  const { ports, moved } = await plan([{ containerPort: 8000, hostPort: 80 }], {}, shared);
  assert.deepEqual(ports["8000/tcp"], [
    { host: "127.0.0.1", port: 34567 },
    { host: "127.0.0.1", port: 8080 },
    { host: "::1", port: 8080 },
  ]);
  assert.deepEqual(moved, { "8000/tcp": 34567 });
});

test("no hostIP opens a port beyond loopback", async () => {
  const { ports } = await plan([{ containerPort: 8000, hostPort: 81, hostIP: "0.0.0.0" }], {});
  assert.deepEqual(ports["8000/tcp"]?.[1], { host: "127.30.0.1", port: 81 });
});

test("the first free network is claimed, the preferred one before all", async () => {
  const taken = new Set(["127.16.0.1:10250", "127.17.0.1:10250"]);
  const listen = (host: string, port: number): Promise<number | string> =>
    Promise.resolve(taken.has(`${host}:${port}`) ? "EADDRINUSE" : port);
  assert.deepEqual(await claimSubnet(listen), { subnet: 18, host: "127.18.0.1", port: 10250 });
  assert.deepEqual(await claimSubnet(listen, 42), { subnet: 42, host: "127.42.0.1", port: 10250 });
  assert.deepEqual(await claimSubnet(listen, 17), { subnet: 18, host: "127.18.0.1", port: 10250 });
  assert.equal((await claimSubnet(listen, 1)).subnet, 18);
});

test("a host with only 127.0.0.1 gets it, with a port of the system's choice", async () => {
  const listen = (host: string, port: number): Promise<number | string> =>
    Promise.resolve(host === "127.0.0.1" ? 40000 + port : "EADDRNOTAVAIL");
  assert.deepEqual(await claimSubnet(listen), { subnet: undefined, host: "127.0.0.1", port: 40000 });
  const network = clusterNetwork(undefined);
  assert.deepEqual([network.pods.allocate(), network.pods.allocate()], ["127.0.0.1", "127.0.0.1"]);
  assert.equal(network.gatewayCIDR, "");
});

test("another kubelet on every address makes room on another port; no room at all is an error", async () => {
  const listen = (_host: string, port: number): Promise<number | string> =>
    Promise.resolve(port === 10250 ? "EADDRINUSE" : port);
  assert.deepEqual(await claimSubnet(listen), { subnet: 16, host: "127.16.0.1", port: 10260 });
  await assert.rejects(
    claimSubnet(() => Promise.resolve("EADDRINUSE")),
    /found no free network/,
  );
  await assert.rejects(
    claimSubnet(() => Promise.resolve("EPERM")),
    /cannot listen on 127\.16\.0\.1:10250: EPERM/,
  );
});

test("pod addresses are unique, avoid .0 and .255, and come back late", () => {
  const { pods, nodeIP, gatewayCIDR } = clusterNetwork(30);
  assert.deepEqual([nodeIP, gatewayCIDR], ["127.30.0.1", "127.30.224.0/19"]);
  const first = pods.allocate();
  assert.equal(first, "127.30.1.1");
  pods.release(first);
  assert.equal(pods.allocate(), "127.30.1.2");
  const rest = new Set(Array.from({ length: 127 * 254 - 1 }, () => pods.allocate()));
  assert.equal(rest.size, 127 * 254 - 1);
  assert.ok(rest.has("127.30.127.254") && rest.has("127.30.2.1") && rest.has(first));
  assert.ok(![...rest].some((address) => /\.(0|255)$/.test(address)));
  assert.throws(() => pods.allocate(), /no pod address is left/);
});

test("the probe tells a taken port from a free one", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal(await probeBind("127.0.0.1", port), "EADDRINUSE");
  server.close();
  await once(server, "close");
  assert.equal(await probeBind("127.0.0.1", port), undefined);
  assert.equal(await probeBind("192.0.2.1", 80), "EADDRNOTAVAIL");
  assert.equal(await probeBind("192.0.2.1", 53, "udp"), "EADDRNOTAVAIL");
  assert.equal(await probeBind("127.0.0.1", await freePort("127.0.0.1", "udp"), "udp"), undefined);
  assert.equal(await probeBind("127.0.0.1", await freePort("127.0.0.1")), undefined);
  await assert.rejects(freePort("192.0.2.1"), /no port can be opened on 192\.0\.2\.1/);
});
