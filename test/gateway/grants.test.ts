// ReferenceGrants come and go while the gateway runs.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { namespaces, secrets } from "@gatehouse/apimachinery/types/core-v1";
import { testCertificates } from "@gatehouse/apiserver/testing";
import { gateways, httpRoutes, referenceGrants } from "@gatehouse/gateway/gateway-resources";
import { eventually } from "../until.ts";
import {
  certificateSecret,
  conditionsOf,
  createDemoGateway,
  createService,
  demoRoute,
  getSecurely,
  startBackend,
  startGateway,
} from "./gateway-fixture.ts";

interface End {
  group: string;
  kind: string;
}

const grant = (namespace: string, from: End & { namespace: string }, to: End & { name?: string }) => ({
  apiVersion: "gateway.networking.k8s.io/v1beta1",
  kind: "ReferenceGrant",
  metadata: { name: "grant", namespace },
  spec: { from: [from], to: [to] },
});
const gatewayApi = "gateway.networking.k8s.io";
const fromApps = { group: gatewayApi, kind: "HTTPRoute", namespace: "apps" };
const toService = { group: "", kind: "Service", name: "whoami" };

async function resolvedRefs(client: ApiClient): Promise<string | undefined> {
  const { status } = await client.get(httpRoutes, "route", "apps");
  return conditionsOf(status?.parents[0]?.conditions).ResolvedRefs;
}

test("a backend elsewhere is served while a grant permits it, and not a moment longer", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "apps" } });
  await createService(client, "whoami", [await startBackend(t, "one")]);
  const { spec } = demoRoute("route", "whoami.localhost", "whoami");
  const rules = [{ backendRefs: [{ name: "whoami", namespace: "demo", port: 80 }] }];
  await client.create(httpRoutes, {
    apiVersion: `${gatewayApi}/v1`,
    kind: "HTTPRoute",
    metadata: { name: "route", namespace: "apps" },
    spec: { ...spec, rules },
  });
  const isRefused = async (): Promise<void> => {
    assert.equal((await fixture.get("whoami.localhost")).status, 500);
    assert.equal(await resolvedRefs(client), "False RefNotPermitted");
  };
  const isServed = async (): Promise<void> => {
    assert.deepEqual(await fixture.get("whoami.localhost"), { status: 200, body: "one" });
    assert.equal(await resolvedRefs(client), "True ResolvedRefs");
  };
  await eventually(isRefused);

  // Of the wrong kind, then of the right one, then for another Service.
  const made = await client.create(referenceGrants, grant("demo", { ...fromApps, kind: "GRPCRoute" }, toService));
  await fixture.controller.statusesWritten();
  await isRefused();
  const right = await client.update(referenceGrants, { ...made, spec: grant("demo", fromApps, toService).spec });
  await eventually(isServed);
  const { spec: elsewhere } = grant("demo", fromApps, { ...toService, name: "other" });
  const other = await client.update(referenceGrants, { ...right, spec: elsewhere });
  await eventually(isRefused);
  await client.update(referenceGrants, {
    ...other,
    spec: grant("demo", fromApps, { group: "", kind: "Service" }).spec,
  });
  await eventually(isServed);

  await client.delete(referenceGrants, "grant", "demo");
  await eventually(isRefused);
});

test("a certificate elsewhere is used while a grant permits it", async (t) => {
  const fixture = await startGateway(t);
  const { client } = fixture;
  await createDemoGateway(client);
  await createService(client, "whoami", [await startBackend(t, "one")]);
  await client.create(httpRoutes, demoRoute("route", "secure.localhost", "whoami"));
  const certificates = await testCertificates();
  const secret = certificateSecret(certificates);
  await client.create(secrets, { ...secret, metadata: { ...secret.metadata, namespace: "demo" } });
  const gateway = await client.get(gateways, "traefik-gateway", "traefik");
  gateway.spec.listeners = [
    {
      name: "web",
      protocol: "HTTPS",
      port: 8443,
      tls: { certificateRefs: [{ name: "cert", namespace: "demo" }] },
      allowedRoutes: { namespaces: { from: "All" } },
    },
  ];
  await client.update(gateways, gateway);
  const listener = async () => {
    const { status } = await client.get(gateways, "traefik-gateway", "traefik");
    const conditions = conditionsOf(status?.listeners?.[0]?.conditions);
    return { address: status?.addresses?.[0]?.value ?? "", resolvedRefs: conditions.ResolvedRefs };
  };
  const ask = async (): Promise<string> =>
    getSecurely((await listener()).address, 8443, "secure.localhost", certificates.ca);
  const isRefused = async (): Promise<void> => {
    assert.equal((await listener()).resolvedRefs, "False RefNotPermitted");
    await assert.rejects(ask());
  };
  await eventually(isRefused);
  const toSecret = { group: "", kind: "Secret", name: "cert" };
  await client.create(
    referenceGrants,
    grant("demo", { group: gatewayApi, kind: "Gateway", namespace: "traefik" }, toSecret),
  );
  await eventually(async () => {
    assert.equal(await ask(), "one");
    assert.equal((await listener()).resolvedRefs, "True ResolvedRefs");
  });
  await client.delete(referenceGrants, "grant", "demo");
  await eventually(isRefused);
});
