// Services: addresses and node ports given, kept and refused.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer({ tls: true });
  client = await cluster.client();
});
after(() => cluster.close());

const namespace = "default";
const service = (name: string, spec: Partial<Service["spec"]> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { ports: [{ port: 80 }], ...spec },
});
const create = (name: string, spec: Partial<Service["spec"]> = {}): Promise<Service> =>
  client.create(services, service(name, spec));

describe("a Service", () => {
  it("is completed", async () => {
    const { spec, status } = await create("completed", { ports: [{ port: 80 }] });
    assert.match(spec.clusterIP ?? "", /^10\.96\.\d+\.\d+$/);
    const { clusterIP, clusterIPs, ...rest } = spec;
    assert.deepEqual(clusterIPs, [clusterIP]);
    assert.deepEqual(rest, {
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
    });
    assert.deepEqual(status, { loadBalancer: {} });
  });

  it("named kubernetes leads to this server", async () => {
    const { spec } = await client.get(services, "kubernetes", namespace);
    assert.deepEqual([spec.clusterIP, spec.ports?.[0]?.port], ["10.96.0.1", 443]);
  });

  it("has an address of its own, at creations of one moment too", async () => {
    const created = await Promise.all(Array.from({ length: 20 }, (_, index) => create(`many-${index}`)));
    assert.equal(new Set(created.map(({ spec }) => spec.clusterIP)).size, 20);
  });

  it("can ask for an address, a free one of the range", async () => {
    assert.equal((await create("asked", { clusterIP: "10.96.7.7" })).spec.clusterIP, "10.96.7.7");
    await assert.rejects(
      create("again", { clusterIP: "10.96.7.7" }),
      refusedWith(422, /Service "again" is invalid: spec.clusterIPs: .*provided IP is already allocated/),
    );
    await assert.rejects(create("outside", { clusterIP: "10.97.0.1" }), refusedWith(422, /not in the valid range/));
    await client.delete(services, "asked", namespace);
    assert.equal((await create("reused", { clusterIP: "10.96.7.7" })).spec.clusterIP, "10.96.7.7");
  });

  it("keeps its address when a PUT leaves it out, and cannot change it", async () => {
    const { spec } = await create("kept");
    const updated = await client.update(services, service("kept", { ports: [{ port: 81 }] }));
    assert.deepEqual([updated.spec.clusterIP, updated.spec.ports?.[0]?.port], [spec.clusterIP, 81]);
    await assert.rejects(
      client.update(services, service("kept", { clusterIP: "10.96.9.9" })),
      refusedWith(422, /spec.clusterIPs\[0\]: Invalid value: .*may not change once set/),
    );
  });

  it("may be headless or an external name: then it has no address", async () => {
    assert.deepEqual((await create("headless", { clusterIP: "None", ports: [] })).spec.clusterIPs, ["None"]);
    const external = await create("external", { type: "ExternalName", externalName: "example.com", ports: [] });
    assert.equal(external.spec.clusterIP, undefined);
    await assert.rejects(
      create("unnamed", { type: "ExternalName", ports: [] }),
      refusedWith(422, /spec.externalName: Required/),
    );
  });

  it("gives node ports, one each, keeps them, and drops them with the type", async () => {
    const ports = [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ];
    const created = await create("node", { type: "NodePort", ports });
    const given = (created.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0);
    assert.ok(given.every((port) => port >= 30_000 && port <= 32_767) && new Set(given).size === 2, String(given));
    const kept = await client.update(services, service("node", { type: "NodePort", ports }));
    assert.deepEqual(
      (kept.spec.ports ?? []).map(({ nodePort }) => nodePort),
      given,
    );
    await assert.rejects(
      create("clash", { type: "NodePort", ports: [{ port: 80, nodePort: given[0] ?? 0 }] }),
      refusedWith(422, /provided port is already allocated/),
    );
    await assert.rejects(
      create("range", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] }),
      refusedWith(422, /not in the valid range/),
    );
    const plain = await client.update(services, { ...kept, spec: { ...kept.spec, type: "ClusterIP" } });
    assert.deepEqual(
      (plain.spec.ports ?? []).map(({ nodePort }) => nodePort),
      [undefined, undefined],
    );
    await assert.rejects(
      create("unused", { ports: [{ port: 80, nodePort: 30_500 }] }),
      refusedWith(422, /nodePort: Forbidden: may not be used when `type` is 'ClusterIP'/),
    );
  });

  const wrong: [string, Partial<Service["spec"]>, RegExp][] = [
    ["no ports", { ports: [] }, /spec.ports: Required value/],
    ["unnamed ports", { ports: [{ port: 80 }, { port: 81 }] }, /spec.ports\[0\].name: Required value/],
    ["a port out of range", { ports: [{ port: 0 }] }, /spec.ports\[0\].port: Invalid value: 0/],
    [
      "a name twice",
      {
        ports: [
          { name: "a", port: 80 },
          { name: "a", port: 81 },
        ],
      },
      /spec.ports\[1\].name: Duplicate value: "a"/,
    ],
    ["an unknown type", { type: "Magic" as never }, /spec.type: Unsupported value: "Magic"/],
  ];
  for (const [what, spec, message] of wrong) {
    it(`is refused with ${what}`, () => assert.rejects(create("wrong", spec), refusedWith(422, message)));
  }

  it("has a name that is a DNS label", async () => {
    await assert.rejects(create("1abc"), refusedWith(422, /a DNS-1035 label/));
    await assert.rejects(create("a.b"), refusedWith(422, /a DNS-1035 label/));
  });
});
