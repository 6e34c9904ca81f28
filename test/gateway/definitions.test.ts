// Definitions of the Gateway API come, go and are replaced while the gateway runs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test, type TestContext } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { gatewayClasses, gateways, httpRoutes, tcpRoutes, tlsRoutes } from "@gatehouse/gateway/gateway-resources";
import { eventually } from "../until.ts";
import {
  conditionsOf,
  createDemoGateway,
  createService,
  customResourceDefinitionType,
  demoRoute,
  grantAsChart39,
  startBackend,
  startGateway,
} from "./gateway-fixture.ts";

const bySix = { version: "v1.6.1", channel: "standard" } as const;
const nameOf = ({ plural, group }: ResourceType): string => `${plural}.${group}`;

function definitionOf(type: ResourceType, bundle: Parameters<typeof customResourceDefinitions>[0] = bySix): KubeObject {
  const found = customResourceDefinitions(bundle).find(({ metadata }) => metadata.name === nameOf(type));
  assert.ok(found, `${nameOf(type)} is not in ${bundle.version}`);
  return found;
}

const install = (client: ApiClient, type: ResourceType): Promise<unknown> =>
  client.create(customResourceDefinitionType, definitionOf(type));

async function uninstall(client: ApiClient, type: ResourceType): Promise<void> {
  await client.delete(customResourceDefinitionType, nameOf(type));
  await eventually(() => assert.rejects(client.get(customResourceDefinitionType, nameOf(type)), { code: 404 }));
}

/** Says its name to whoever connects; its port. */
async function startGreeter(t: TestContext, name: string): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => {}).end(name));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** All that comes over a connection. Rejects when it is refused or reset. */
async function greetingAt(host: string, port: number): Promise<string> {
  let text = "";
  for await (const chunk of connect({ host, port })) text += String(chunk);
  return text;
}

async function createStreamGateway(client: ApiClient, protocol: "TCP" | "TLS"): Promise<void> {
  await client.create(gateways, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "streams", namespace: "demo" },
    spec: {
      gatewayClassName: "traefik",
      listeners: [
        {
          name: "only",
          protocol,
          port: 5432,
          ...(protocol === "TLS" ? { tls: { mode: "Passthrough" as const } } : {}),
        },
      ],
    },
  });
}

const streamRoute = (type: ResourceType, more: object = {}) => ({
  apiVersion: `${type.group}/${type.version}`,
  kind: type.kind,
  metadata: { name: "route", namespace: "demo" },
  spec: { parentRefs: [{ name: "streams" }], rules: [{ backendRefs: [{ name: "greeter", port: 80 }] }], ...more },
});

async function addressOf(client: ApiClient, name: string, namespace: string): Promise<string> {
  const { status } = await client.get(gateways, name, namespace);
  return status?.addresses?.[0]?.value ?? "";
}

const kindsOf = async (client: ApiClient): Promise<string[]> => {
  const { status } = await client.get(gateways, "streams", "demo");
  return (status?.listeners?.[0]?.supportedKinds ?? []).map(({ kind }) => kind);
};

const featuresOf = async (client: ApiClient): Promise<string[]> =>
  ((await client.get(gatewayClasses, "traefik")).status?.supportedFeatures ?? []).map(({ name }) => name);

test("a kind is served as soon as its definition is there, and no longer than that", async (t) => {
  const fixture = await startGateway(t, { gatewayApi: "v1.6.1" });
  const { client } = fixture;
  await uninstall(client, tcpRoutes);
  await createDemoGateway(client);
  await createStreamGateway(client, "TCP");
  await createService(client, "greeter", [await startGreeter(t, "hello")]);
  await createService(client, "whoami-v1", [await startBackend(t, "one")]);
  await client.create(httpRoutes, demoRoute("whoami", "whoami.localhost", "whoami-v1"));
  await eventually(async () => {
    assert.deepEqual(await kindsOf(client), []);
    assert.equal((await featuresOf(client)).includes("TCPRoute"), false);
    assert.equal((await fixture.get("whoami.localhost")).body, "one");
  });

  for (const round of ["first", "again"]) {
    await install(client, tcpRoutes);
    await eventually(() => client.create(tcpRoutes, streamRoute(tcpRoutes) as never));
    await eventually(async () => {
      assert.equal(await greetingAt(await addressOf(client, "streams", "demo"), 5432), "hello", round);
      const { status } = await client.get(tcpRoutes, "route", "demo");
      assert.equal(conditionsOf(status?.parents[0]?.conditions).Accepted, "True Accepted");
      assert.deepEqual(await kindsOf(client), ["TCPRoute"]);
      assert.ok((await featuresOf(client)).includes("TCPRoute"));
    });

    await uninstall(client, tcpRoutes);
    await eventually(async () => {
      await assert.rejects(greetingAt(await addressOf(client, "streams", "demo"), 5432));
      assert.deepEqual(await kindsOf(client), []);
      assert.equal((await featuresOf(client)).includes("TCPRoute"), false);
    });
  }
  assert.equal((await fixture.get("whoami.localhost")).body, "one");
});

test("HTTPRoutes come back with their definition", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  await createService(client, "whoami-v1", [await startBackend(t, "one")]);
  const route = demoRoute("whoami", "whoami.localhost", "whoami-v1");
  await client.create(httpRoutes, route);
  await eventually(async () => assert.equal((await fixture.get("whoami.localhost")).body, "one"));
  await uninstall(client, httpRoutes);
  await eventually(async () => assert.equal((await fixture.get("whoami.localhost")).status, 404));
  await client.create(
    customResourceDefinitionType,
    definitionOf(httpRoutes, { version: "v1.4.0", channel: "standard" }),
  );
  await eventually(() => client.create(httpRoutes, route));
  await eventually(async () => assert.equal((await fixture.get("whoami.localhost")).body, "one"));
});

/** A client whose discovery of the Gateway API, once told to lag, answers as before that for so many times. */
function lagging(client: ApiClient): { client: ApiClient; lag: (times: number) => void } {
  const answers = new Map<string, unknown>();
  let left = 0;
  const json: ApiClient["json"] = async (request, ...more) => {
    const { path } = request;
    if (!path.startsWith("/apis/gateway.networking.k8s.io")) return client.json(request, ...more);
    if (path === "/apis/gateway.networking.k8s.io" && left > 0) left--;
    if (left === 0) answers.set(path, await client.json(request, ...more));
    return structuredClone(answers.get(path)) as never;
  };
  return { client: { ...client, json }, lag: (times) => (left = times) };
}

test("a definition is served although discovery knows of it later than the definition says", async (t) => {
  let lag: (times: number) => void = () => {};
  const through = (client: ApiClient): ApiClient => {
    const slow = lagging(client);
    ({ lag } = slow);
    return slow.client;
  };
  const { client, controller } = await startGateway(t, { gatewayApi: "v1.6.1", through });
  await uninstall(client, tcpRoutes);
  await createDemoGateway(client);
  await createStreamGateway(client, "TCP");
  await controller.ready;
  await eventually(async () => assert.deepEqual(await kindsOf(client), []));
  // More answers than there are changes of one definition.
  lag(5);
  await install(client, tcpRoutes);
  await eventually(async () => assert.deepEqual(await kindsOf(client), ["TCPRoute"]));
});

test("who may not read definitions finds out by asking again", async (t) => {
  const { client, controller } = await startGateway(t, { gatewayApi: "v1.6.1", user: "traefik" });
  await uninstall(client, tcpRoutes);
  await grantAsChart39(client, "traefik");
  await createDemoGateway(client);
  await createStreamGateway(client, "TCP");
  await controller.ready;
  await eventually(async () => assert.deepEqual(await kindsOf(client), []));
  await install(client, tcpRoutes);
  // It asks every five seconds.
  await eventually(async () => assert.deepEqual(await kindsOf(client), ["TCPRoute"]), 30_000);
});

test("a release that takes another's place serves the same routes in its own version", async (t) => {
  const alpha = { version: "v1.4.0", channel: "experimental" } as const;
  const fixture = await startGateway(t);
  const { client } = fixture;
  await client.create(customResourceDefinitionType, definitionOf(tlsRoutes, alpha));
  await createDemoGateway(client);
  await createStreamGateway(client, "TLS");
  await createService(client, "greeter", [await startGreeter(t, "hello")]);
  const inAlpha = { ...tlsRoutes, version: "v1alpha3" };
  await eventually(() => client.create(inAlpha, streamRoute(inAlpha, { hostnames: ["a.example.com"] }) as never));
  const isAttached = async (type: typeof tlsRoutes): Promise<void> => {
    const { status } = await client.get(type, "route", "demo");
    assert.equal(conditionsOf(status?.parents[0]?.conditions).Accepted, "True Accepted");
    const gateway = await client.get(gateways, "streams", "demo");
    assert.equal(gateway.status?.listeners?.[0]?.attachedRoutes, 1);
  };
  await eventually(() => isAttached(inAlpha));
  assert.equal((await featuresOf(client)).includes("TLSRouteModeTerminate"), false);

  for (const definition of customResourceDefinitions(bySix)) {
    const type = customResourceDefinitionType;
    const present = await client.get(type, definition.metadata.name).catch(() => undefined);
    const { resourceVersion } = present?.metadata ?? {};
    if (!resourceVersion) await client.create(type, definition);
    else await client.update(type, { ...definition, metadata: { ...definition.metadata, resourceVersion } });
  }
  await eventually(async () => assert.ok((await featuresOf(client)).includes("TLSRouteModeTerminate")));
  // A change that only the new version can tell of.
  const route = await eventually(() => client.get(tlsRoutes, "route", "demo"));
  await client.update(tlsRoutes, {
    ...route,
    spec: { ...route.spec, rules: [{ backendRefs: [{ name: "missing", port: 80 }] }] },
  });
  await eventually(async () => {
    const { status } = await client.get(tlsRoutes, "route", "demo");
    assert.equal(conditionsOf(status?.parents[0]?.conditions).ResolvedRefs, "False BackendNotFound");
  });
  await isAttached(tlsRoutes);
});
