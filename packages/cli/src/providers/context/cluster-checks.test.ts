import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createApiClient } from "@gatehouse/apimachinery/api-client";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { applyAll } from "../../steps/apply-all.ts";
import { loadApplications } from "../../steps/demo-manifests.ts";
import { checkNames, checkRights, checkVersion } from "./cluster-checks.ts";

test("rights: an administrator has them all, and each that is missing is named", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  await checkRights(await cluster.client());
  const reader = await cluster.client({ user: "reader", groups: ["system:authenticated"] });
  await assert.rejects(
    checkRights(reader),
    /this user may not: get\/list\/watch\/create\/patch\/delete namespaces, .*create\/.* daemonsets\.apps in namespace traefik, .*list\/watch pods in namespace demo; ask/,
  );
});

test("names: an empty cluster and our own objects are fine, others' are named, and nothing is written", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await checkNames(client);
  await applyAll(client, await loadApplications());
  await checkNames(client);
  const mine = await client.get(deployments, "whoami-v1", "demo");
  const { "gatehouse.dev/installed-by": _, ...labels } = mine.metadata.labels ?? {};
  await client.update(deployments, { ...mine, metadata: { ...mine.metadata, labels } });
  await applyAll(client, customResourceDefinitions({ version: "v1.4.0", channel: "standard" }));
  await client.create(gatewayClasses, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "traefik" },
    spec: { controllerName: "example.com/other" },
  });
  const before = await client.list(namespaces);
  await assert.rejects(
    checkNames(client),
    /not from here: Deployment demo\/whoami-v1, GatewayClass traefik \(another Traefik\?\); remove them/,
  );
  assert.deepEqual((await client.list(namespaces)).metadata.resourceVersion, before.metadata.resourceVersion);
});

test("a cluster too old for the definitions is refused with its version", async (t) => {
  const answer = (minor: string) => ({ major: "1", minor, gitVersion: `v1.${minor.replace("+", "")}.3` });
  let minor = "25+";
  const server = createServer((_, response) => response.end(JSON.stringify(answer(minor))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const client = await createApiClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  t.after(() => client.close());
  await assert.rejects(checkVersion(client), /runs Kubernetes v1\.25\.3; Gateway API needs 1\.29 or newer/);
  minor = "34";
  assert.equal(await checkVersion(client), "v1.34.3");
});
