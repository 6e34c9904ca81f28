// The gateway against a real API server: what is applied is served and reported, and follows every change.

import assert from "node:assert/strict";
import { test } from "node:test";
import { secrets, services } from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { testCertificates } from "@gatehouse/apiserver/testing";
import { gatewayClasses, gateways, httpRoutes } from "@gatehouse/gateway/gateway-resources";
import { eventually } from "../until.ts";
import {
  certificateSecret,
  conditionsOf,
  createDemoGateway,
  createService,
  demoRoute,
  endpointSlice,
  get,
  getSecurely,
  grantAsChart39,
  installGatewayApi,
  startBackend,
  startGateway,
} from "./gateway-fixture.ts";

test("a route is served on the entrypoint and on the Gateway's own address, and reported", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await fixture.controller.ready;
  assert.deepEqual(await fixture.get("whoami.localhost"), { status: 404, body: (await fixture.get("x")).body });
  await createDemoGateway(client);
  await createService(client, "whoami-v1", [await startBackend(t, "one")]);
  await client.create(httpRoutes, demoRoute("whoami-host", "whoami.localhost", "whoami-v1"));

  await eventually(async () => assert.deepEqual(await fixture.get("whoami.localhost"), { status: 200, body: "one" }));
  assert.equal((await fixture.get("other.localhost")).status, 404);

  await eventually(async () => {
    const [gatewayClass, gateway, route] = await Promise.all([
      client.get(gatewayClasses, "traefik"),
      client.get(gateways, "traefik-gateway", "traefik"),
      client.get(httpRoutes, "whoami-host", "demo"),
    ]);
    assert.equal(conditionsOf(gatewayClass.status?.conditions).Accepted, "True Accepted");
    assert.equal(conditionsOf(gateway.status?.conditions).Programmed, "True Programmed");
    assert.equal(gateway.status?.listeners?.[0]?.attachedRoutes, 1);
    assert.deepEqual(conditionsOf(route.status?.parents[0]?.conditions), {
      Accepted: "True Accepted",
      ResolvedRefs: "True ResolvedRefs",
    });
    const address = gateway.status?.addresses?.[0]?.value ?? "";
    assert.deepEqual(await get(address, 8000, "whoami.localhost"), { status: 200, body: "one" });
  });
});

test("changes of routes, endpoints and Services take effect, in traffic and in status", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  const one = await startBackend(t, "one");
  const two = await startBackend(t, "two");
  await createService(client, "whoami-v1", [one]);
  await createService(client, "whoami-v2", [two]);
  await client.create(httpRoutes, demoRoute("whoami", "whoami.localhost", "whoami-v1"));
  const answers = async (expected: string | number): Promise<void> => {
    const { status, body } = await fixture.get("whoami.localhost");
    assert.equal(typeof expected === "number" ? status : body, expected);
  };
  await eventually(() => answers("one"));

  const route = await client.get(httpRoutes, "whoami", "demo");
  route.spec.rules = [{ backendRefs: [{ name: "whoami-v2", port: 80 }] }];
  await client.update(httpRoutes, route);
  await eventually(() => answers("two"));

  await client.update(endpointSlices, endpointSlice("whoami-v2", two, false));
  await eventually(() => answers(503));
  await client.update(endpointSlices, endpointSlice("whoami-v2", two, true));
  await eventually(() => answers("two"));

  await client.delete(services, "whoami-v2", "demo");
  await eventually(() => answers(500));
  await eventually(async () => {
    const { status } = await client.get(httpRoutes, "whoami", "demo");
    assert.equal(conditionsOf(status?.parents[0]?.conditions).ResolvedRefs, "False BackendNotFound");
    const condition = status?.parents[0]?.conditions.find(({ type }) => type === "ResolvedRefs");
    assert.match(condition?.message ?? "", /^Service "whoami-v2" not found in namespace "demo": create it or correct/);
  });

  await client.delete(httpRoutes, "whoami", "demo");
  await eventually(() => answers(404));
});

test("deleting the Gateway closes its address, ends its routes and takes its statuses back", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  await createService(client, "whoami-v1", [await startBackend(t, "one")]);
  await client.create(httpRoutes, demoRoute("whoami", "whoami.localhost", "whoami-v1"));
  const address = await eventually(async () => {
    const { status } = await client.get(gateways, "traefik-gateway", "traefik");
    const value = status?.addresses?.[0]?.value ?? "";
    assert.equal((await get(value, 8000, "whoami.localhost")).status, 200);
    return value;
  });

  await client.delete(gateways, "traefik-gateway", "traefik");
  await eventually(async () => assert.equal((await fixture.get("whoami.localhost")).status, 404));
  await eventually(() => assert.rejects(get(address, 8000, "whoami.localhost"), { code: "ECONNREFUSED" }));
  await eventually(async () => {
    assert.deepEqual((await client.get(httpRoutes, "whoami", "demo")).status?.parents, []);
  });
});

test("statuses are written once, keep what others wrote, and are left alone when nothing changes", async (t) => {
  const fixture = await startGateway(t);
  const { client, controller } = fixture;
  await createDemoGateway(client);
  await createService(client, "whoami-v1", []);
  const created = await client.create(httpRoutes, demoRoute("whoami", "whoami.localhost", "whoami-v1"));
  const theirs = {
    parentRef: { name: "theirs" },
    controllerName: "example.com/other",
    conditions: [
      {
        type: "Accepted",
        status: "True" as const,
        reason: "Accepted",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ],
  };
  await eventually(async () => {
    const fresh = await client.get(httpRoutes, "whoami", "demo");
    await client.updateStatus(httpRoutes, {
      ...fresh,
      status: { parents: [theirs, ...(fresh.status?.parents ?? [])] },
    });
  });
  await eventually(async () => {
    const { status } = await client.get(httpRoutes, "whoami", "demo");
    assert.deepEqual(status?.parents.map(({ controllerName }) => controllerName).sort(), [
      "example.com/other",
      "traefik.io/gateway-controller",
    ]);
  });
  assert.ok(created.metadata.uid);
  await controller.statusesWritten();
  const before = await client.get(httpRoutes, "whoami", "demo");
  const writes = fixture.statusWrites();
  assert.ok(writes <= 5, `${writes} writes for a class, a Gateway and a route`);

  await client.create(endpointSlices, endpointSlice("whoami-v1", await startBackend(t, "one")));
  await eventually(async () => assert.equal((await fixture.get("whoami.localhost")).body, "one"));
  await controller.statusesWritten();
  assert.equal(fixture.statusWrites(), writes);
  const after = await client.get(httpRoutes, "whoami", "demo");
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
});

test("a real change is one write for each object that it concerns, and what others write is none", async (t) => {
  const fixture = await startGateway(t);
  const { client, controller } = fixture;
  await createDemoGateway(client);
  await createService(client, "whoami-v1", []);
  for (const name of ["one", "two", "three"]) {
    await client.create(httpRoutes, demoRoute(name, `${name}.localhost`, name === "three" ? "whoami-v2" : "whoami-v1"));
  }
  const resolvedRefsOf = async (name: string): Promise<string | undefined> => {
    const { status } = await client.get(httpRoutes, name, "demo");
    const ours = status?.parents.find(({ controllerName }) => controllerName === "traefik.io/gateway-controller");
    return conditionsOf(ours?.conditions).ResolvedRefs;
  };
  await eventually(async () => {
    assert.equal(await resolvedRefsOf("two"), "True ResolvedRefs");
    assert.equal(await resolvedRefsOf("three"), "False BackendNotFound");
    const { status } = await client.get(gateways, "traefik-gateway", "traefik");
    assert.equal(status?.listeners?.[0]?.attachedRoutes, 3);
  });
  await controller.statusesWritten();

  const fresh = await client.get(httpRoutes, "one", "demo");
  const [ours] = fresh.status?.parents ?? [];
  assert.ok(ours);
  const theirs = { ...ours, controllerName: "example.com/other" };
  const before = fixture.statusWrites();
  await client.updateStatus(httpRoutes, { ...fresh, status: { parents: [ours, theirs] } });
  // Concerns two of the routes.
  await client.delete(services, "whoami-v1", "demo");
  await eventually(async () => {
    assert.equal(await resolvedRefsOf("one"), "False BackendNotFound");
    assert.equal(await resolvedRefsOf("two"), "False BackendNotFound");
  });
  await controller.statusesWritten();
  assert.equal(fixture.statusWrites() - before, 2);
  const after = await client.get(httpRoutes, "one", "demo");
  assert.deepEqual(
    after.status?.parents.find(({ controllerName }) => controllerName === "example.com/other"),
    theirs,
  );
});

test("without the Gateway API's CRDs the gateway waits, says so, and goes on when they come", async (t) => {
  const fixture = await startGateway(t, { gatewayApi: false });
  await eventually(() => {
    assert.ok(fixture.logged.some((line) => /no httproutes\.gateway\.networking\.k8s\.io.*waiting until/.test(line)));
  });
  assert.equal(fixture.controller.isReady, false);
  await installGatewayApi(fixture.client);
  await fixture.controller.ready;
  assert.equal(fixture.controller.isReady, true);
});

test("kinds that its role does not know keep nothing else from being served", async (t) => {
  const fixture = await startGateway(t, { gatewayApi: "v1.6.1", user: "traefik" });
  const { client } = fixture;
  await grantAsChart39(client, "traefik");
  await createDemoGateway(client);
  await createService(client, "whoami-v1", [await startBackend(t, "one")]);
  await client.create(httpRoutes, demoRoute("whoami-host", "whoami.localhost", "whoami-v1"));
  await fixture.controller.ready;
  await eventually(async () => assert.deepEqual(await fixture.get("whoami.localhost"), { status: 200, body: "one" }));
  for (const kind of ["listenersets", "udproutes"]) {
    const said = `reading ${kind}.gateway.networking.k8s.io is forbidden: give`;
    assert.ok(fixture.logged.some((line) => line.startsWith(said)));
  }
});

test("an HTTPS listener serves with its Secret's certificate, and changes it without a restart", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  await createService(client, "whoami-v1", [await startBackend(t, "one")]);
  await client.create(httpRoutes, demoRoute("whoami", "secure.localhost", "whoami-v1"));
  const gateway = await client.get(gateways, "traefik-gateway", "traefik");
  gateway.spec.listeners = [
    {
      name: "web",
      protocol: "HTTPS",
      port: 8443,
      tls: { certificateRefs: [{ name: "cert" }] },
      allowedRoutes: { namespaces: { from: "All" } },
    },
  ];
  await client.update(gateways, gateway);
  const address = await eventually(async () => {
    const { status } = await client.get(gateways, "traefik-gateway", "traefik");
    assert.equal(conditionsOf(status?.listeners?.[0]?.conditions).ResolvedRefs, "False InvalidCertificateRef");
    return status?.addresses?.[0]?.value ?? "";
  });

  const first = await testCertificates();
  await client.create(secrets, certificateSecret(first));
  const ask = (ca: string): Promise<string> => getSecurely(address, 8443, "secure.localhost", ca);
  await eventually(async () => assert.equal(await ask(first.ca), "one"));
  const second = await testCertificates();
  await assert.rejects(ask(second.ca));
  await client.update(secrets, certificateSecret(second));
  await eventually(async () => assert.equal(await ask(second.ca), "one"));
});

test("labels and annotations for infrastructure are those of a Service that stands for the Gateway", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  const change = async (infrastructure?: { labels?: Record<string, string>; annotations?: Record<string, string> }) => {
    const { infrastructure: _, ...spec } = (await client.get(gateways, "traefik-gateway", "traefik")).spec;
    const current = await client.get(gateways, "traefik-gateway", "traefik");
    await client.update(gateways, { ...current, spec: infrastructure ? { ...spec, infrastructure } : spec });
  };
  const labelSelector = "gateway.networking.k8s.io/gateway-name=traefik-gateway";
  const made = async () => (await client.list(services, { namespace: "traefik", labelSelector })).items;
  assert.deepEqual(await made(), []);

  await change({ labels: { team: "a", tier: "edge" }, annotations: { note: "one" } });
  const service = await eventually(async () => {
    const [only] = await made();
    assert.equal(only?.metadata.labels?.team, "a");
    assert.equal(only.metadata.annotations?.note, "one");
    return only;
  });
  const gateway = await client.get(gateways, "traefik-gateway", "traefik");
  assert.equal(service.metadata.ownerReferences?.[0]?.uid, gateway.metadata.uid);
  const { items } = await client.list(endpointSlices, { namespace: "traefik" });
  const [slice] = items.filter(
    ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service.metadata.name,
  );
  assert.deepEqual(slice?.endpoints[0]?.addresses, [gateway.status?.addresses?.[0]?.value]);

  await change({ labels: { team: "b" } });
  await eventually(async () => {
    const [only] = await made();
    assert.deepEqual([only?.metadata.labels?.team, only?.metadata.labels?.tier], ["b", undefined]);
    assert.equal(only?.metadata.annotations?.note, undefined);
  });
  await client.delete(services, service.metadata.name, "traefik");
  await eventually(async () => assert.equal((await made()).length, 1));
  await change();
  await eventually(async () => assert.deepEqual(await made(), []));
});

test("a Service of that name that somebody else made is left alone, and said so", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  await client.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "traefik-gateway-traefik", namespace: "traefik", labels: { mine: "yes" } },
    spec: { ports: [{ port: 1 }] },
  });
  const current = await client.get(gateways, "traefik-gateway", "traefik");
  await client.update(gateways, { ...current, spec: { ...current.spec, infrastructure: { labels: { team: "a" } } } });
  await eventually(() => {
    assert.ok(
      fixture.logged.some((line) => /Service traefik\/traefik-gateway-traefik was made by somebody else/.test(line)),
    );
  });
  const theirs = await client.get(services, "traefik-gateway-traefik", "traefik");
  assert.deepEqual(theirs.metadata.labels, { mine: "yes" });
});
