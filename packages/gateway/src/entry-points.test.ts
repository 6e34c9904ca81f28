import assert from "node:assert/strict";
import { test } from "node:test";
import { planEntryPoints } from "./entry-points.ts";
import { parseStaticConfiguration } from "./parse-static-configuration.ts";

const flags = [
  "--entryPoints.web.address=:8000/tcp",
  "--entryPoints.local.address=127.0.0.9:8001/tcp",
  "--entryPoints.traefik.address=:9000/tcp",
  "--entryPoints.metrics.address=:9100/tcp",
  "--ping=true",
];
const environment = {
  GATEHOUSE_POD_IP: "127.30.1.4",
  GATEHOUSE_LISTEN: JSON.stringify({
    "8000/tcp": [
      { host: "127.30.1.4", port: 8000 },
      { host: "::1", port: 8080 },
    ],
    "8000/udp": [{ host: "127.30.1.4", port: 8053 }],
  }),
};
const plan = (...more: string[]) =>
  planEntryPoints(parseStaticConfiguration([...flags, ...more]).configuration, environment);

test("entrypoints open where the kubelet says, else on the pod's address, else where the flag says", () => {
  const { addressesOf } = plan();
  assert.deepEqual(addressesOf("web"), ["127.30.1.4:8000", "[::1]:8080"]);
  assert.deepEqual(addressesOf("traefik"), ["127.30.1.4:9000"]);
  assert.deepEqual(addressesOf("local"), ["127.0.0.9:8001"]);
  assert.deepEqual(addressesOf("none"), []);
});

test("one for datagrams opens where the kubelet says for UDP", () => {
  const { public: open } = plan("--entryPoints.dns.address=:8000/udp");
  const dns = open.find(({ name }) => name === "dns");
  assert.deepEqual([dns?.transport, dns?.addresses], ["udp", [{ host: "127.30.1.4", port: 8053 }]]);
  assert.equal(open.find(({ name }) => name === "web")?.transport, undefined);
});

test("ping, metrics and API keep their entrypoints from Gateways", () => {
  const withAll = plan("--api.insecure", "--metrics.prometheus", "--metrics.prometheus.entrypoint=metrics");
  assert.deepEqual(
    withAll.public.map(({ name }) => name),
    ["web", "local"],
  );
  assert.deepEqual(
    [...withAll.reservedPorts],
    [
      [9000, "traefik"],
      [9100, "metrics"],
    ],
  );
  assert.deepEqual(
    withAll.internal.map(({ name, parts }) => [name, parts]),
    [
      ["traefik", { api: true, ping: true, metrics: false }],
      ["metrics", { api: false, ping: false, metrics: true }],
    ],
  );
});

test("without --api.insecure the API is not served, and without metrics their entrypoint is a plain one", () => {
  const { internal, public: open } = plan();
  assert.deepEqual(
    internal.map(({ parts }) => parts),
    [{ api: false, ping: true, metrics: false }],
  );
  assert.ok(open.some(({ name }) => name === "metrics"));
});

test("trusted proxies come along", () => {
  const { public: open } = plan("--entryPoints.web.forwardedHeaders.trustedIPs=10.0.0.0/8");
  assert.deepEqual(
    open.map(({ trustedProxies }) => trustedProxies),
    [["10.0.0.0/8"], undefined, undefined],
  );
});
