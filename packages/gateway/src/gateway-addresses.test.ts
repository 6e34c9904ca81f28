import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import { assignAddresses, parseAddressPool } from "./gateway-addresses.ts";

const gateway = (name: string, changes: { has?: string; wants?: string; created?: string } = {}): Gateway => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: { name, namespace: "traefik", creationTimestamp: changes.created ?? "2026-01-01T00:00:00Z" },
  spec: {
    gatewayClassName: "traefik",
    listeners: [],
    ...(changes.wants ? { addresses: [{ type: "IPAddress", value: changes.wants }] } : {}),
  },
  ...(changes.has ? { status: { addresses: [{ type: "IPAddress", value: changes.has }] } } : {}),
});

const addressesIn = (pool: string, gateways: Gateway[]): Record<string, string | undefined> =>
  Object.fromEntries(
    [...assignAddresses(gateways, parseAddressPool(pool), [])].map(([key, { hosts, problem }]) => [
      key,
      hosts[0] ?? problem?.reason,
    ]),
  );

test("a pool has every address but those that end in .0 and .255", () => {
  const pool = parseAddressPool("127.30.224.0/19");
  assert.equal(pool.size, 32 * 254);
  assert.deepEqual(
    [pool.at(0), pool.at(253), pool.at(254), pool.at(pool.size - 1)],
    ["127.30.224.1", "127.30.224.254", "127.30.225.1", "127.30.255.254"],
  );
  for (const inside of ["127.30.224.1", "127.30.255.254"]) assert.ok(pool.includes(inside), inside);
  for (const outside of [
    "127.30.224.0",
    "127.30.225.255",
    "127.30.223.1",
    "127.31.0.1",
    "::1",
    "127.30.224",
    "127.30.224.1.1",
  ]) {
    assert.ok(!pool.includes(outside), outside);
  }
});

for (const text of ["", "127.0.0.1", "127.0.0.0/33", "127.0.0.0/25", "::/64", "127.0.0.256/24"]) {
  test(`"${text}" is no pool`, () => assert.throws(() => parseAddressPool(text), /is not an IPv4 CIDR/));
}

test("an address does not depend on which other Gateways there are", () => {
  const alone = addressesIn("127.30.224.0/19", [gateway("a")]);
  const together = addressesIn("127.30.224.0/19", [gateway("b"), gateway("a"), gateway("c")]);
  assert.equal(together["traefik/a"], alone["traefik/a"]);
  assert.equal(new Set(Object.values(together)).size, 3);
});

test("who has an address keeps it, even from an older one that asks for it", () => {
  const assigned = addressesIn("127.30.224.0/24", [
    gateway("holder", { has: "127.30.224.9", created: "2026-02-01T00:00:00Z" }),
    gateway("asker", { wants: "127.30.224.9" }),
  ]);
  assert.deepEqual(assigned, { "traefik/holder": "127.30.224.9", "traefik/asker": "AddressNotUsable" });
});

test("an address of another pool is not kept", () => {
  const assigned = addressesIn("127.30.224.0/24", [gateway("a", { has: "127.99.224.9" })]);
  assert.match(assigned["traefik/a"] ?? "", /^127\.30\.224\./);
});

test("a full pool is said to be full", () => {
  const assigned = addressesIn(
    "127.30.224.0/24",
    Array.from({ length: 255 }, (_, index) => gateway(`g${index}`)),
  );
  const values = Object.values(assigned);
  assert.equal(new Set(values).size, 255);
  assert.equal(values.filter((value) => value === "AddressNotAssigned").length, 1);
});

test("without a pool all state the shared address, and none can be asked for but that", () => {
  const shared = [{ type: "IPAddress", value: "10.0.0.1" }];
  const assigned = assignAddresses(
    [gateway("a"), gateway("b", { wants: "10.0.0.1" }), gateway("c", { wants: "10.0.0.2" })],
    undefined,
    shared,
  );
  assert.deepEqual(assigned.get("traefik/a"), { addresses: shared, hosts: [] });
  assert.equal(assigned.get("traefik/b")?.problem, undefined);
  assert.equal(assigned.get("traefik/c")?.problem?.reason, "AddressNotUsable");
});
