import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiClient } from "@gatehouse/apimachinery/api-client";
import { type Answer, startScriptedServer } from "@gatehouse/apimachinery/testing/scripted-server";
import { parseResourceArguments } from "./resource-arguments.ts";
import { discover, type ResourceMapper } from "./resource-mapper.ts";
import { UserError } from "./user-error.ts";

const gateway = "gateway.networking.k8s.io";

/** plural, kind, namespaced, short names, categories */
type Row = [string, string, boolean, string[]?, string[]?];

const served: Record<string, Record<string, Row[]>> = {
  "": {
    v1: [
      ["pods", "Pod", true, ["po"], ["all"]],
      ["services", "Service", true, ["svc"], ["all"]],
      ["namespaces", "Namespace", false, ["ns"]],
      ["events", "Event", true, ["ev"]],
    ],
  },
  apps: { v1: [["deployments", "Deployment", true, ["deploy"], ["all"]]] },
  "events.k8s.io": { v1: [["events", "Event", true, ["ev"]]] },
  [gateway]: {
    v1: [
      ["gatewayclasses", "GatewayClass", false, ["gc"], ["gateway-api"]],
      ["gateways", "Gateway", true, ["gtw"], ["gateway-api"]],
      ["httproutes", "HTTPRoute", true, [], ["gateway-api"]],
    ],
    v1beta1: [["httproutes", "HTTPRoute", true, [], ["gateway-api"]]],
  },
};

const aggregated: Answer = ({ path, headers }) => {
  assert.match(String(headers.accept), /as=APIGroupDiscoveryList/);
  const groups = Object.entries(served).filter(([group]) => (path === "/api") === (group === ""));
  const items = groups.map(([name, versions]) => ({
    metadata: name ? { name } : {},
    versions: Object.entries(versions).map(([version, rows]) => ({
      version,
      resources: rows.map(([resource, kind, namespaced, shortNames, categories]) => ({
        resource,
        responseKind: { kind },
        scope: namespaced ? "Namespaced" : "Cluster",
        singularResource: kind.toLowerCase(),
        ...(shortNames ? { shortNames } : {}),
        ...(categories ? { categories } : {}),
        verbs: ["get", "list"],
        subresources: [{ subresource: "status" }],
      })),
    })),
  }));
  return [200, { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", items }];
};

const legacy: Answer = ({ path }) => {
  if (path === "/api") return [200, { kind: "APIVersions", versions: ["v1"] }];
  if (path === "/apis") {
    const groups = Object.entries(served).filter(([group]) => group !== "");
    const list = groups.map(([name, versions]) => ({
      name,
      // Out of order: the preferred version decides.
      versions: Object.keys(versions)
        .toReversed()
        .map((version) => ({ groupVersion: `${name}/${version}`, version })),
      preferredVersion: { groupVersion: `${name}/v1`, version: "v1" },
    }));
    return [200, { kind: "APIGroupList", groups: list }];
  }
  const [group = "", version = ""] = path === "/api/v1" ? ["", "v1"] : path.split("/").slice(2);
  const resources = (served[group]?.[version] ?? []).flatMap(([name, kind, namespaced, shortNames, categories]) => [
    { name, singularName: "", namespaced, kind, shortNames, categories, verbs: ["get", "list"] },
    { name: `${name}/status`, singularName: "", namespaced, kind, verbs: ["get"] },
  ]);
  return [200, { kind: "APIResourceList", resources }];
};

async function mapperFrom(answer: Answer): Promise<{ mapper: ResourceMapper; requests: number }> {
  await using server = await startScriptedServer(answer);
  const client = await createApiClient({ server: server.url });
  const mapper = await discover(client);
  client.close();
  return { mapper, requests: server.requests.length };
}

const found: [typed: string, resource: string][] = [
  ["pods", "v1/pods"],
  ["pod", "v1/pods"],
  ["po", "v1/pods"],
  ["Pod", "v1/pods"],
  ["PODS", "v1/pods"],
  ["pods.v1", "v1/pods"],
  ["deploy", "apps/v1/deployments"],
  ["deployments.apps", "apps/v1/deployments"],
  ["deployment.v1.apps", "apps/v1/deployments"],
  ["HTTPRoute", `${gateway}/v1/httproutes`],
  ["httproutes.gateway", `${gateway}/v1/httproutes`],
  [`httproutes.v1beta1.${gateway}`, `${gateway}/v1beta1/httproutes`],
  ["gtw", `${gateway}/v1/gateways`],
  ["gc", `${gateway}/v1/gatewayclasses`],
  ["events", "v1/events"],
  ["ev", "v1/events"],
  ["events.events.k8s.io", "events.k8s.io/v1/events"],
];

for (const [form, answer, requests] of [
  ["aggregated", aggregated, 2],
  ["legacy", legacy, 7],
] as const) {
  test(`${form} discovery: every way to name a resource`, async () => {
    const { mapper, requests: made } = await mapperFrom(answer);
    assert.equal(made, requests);
    for (const [typed, resource] of found) {
      const { group, version, plural } = mapper.find(typed);
      assert.equal([group, version, plural].filter(Boolean).join("/"), resource, typed);
    }
    for (const typed of ["foo", "pods.apps", "pods.v2", "httproutes.v2.gateway.networking.k8s.io", "pods/status", ""]) {
      assert.throws(
        () => mapper.find(typed),
        (error) => error instanceof UserError && error.message === `the server doesn't have a resource type "${typed}"`,
      );
    }
    assert.equal(mapper.byKind(`${gateway}/v1`, "HTTPRoute")?.plural, "httproutes");
    assert.equal(mapper.byKind("v1", "Pod")?.namespaced, true);
    assert.equal(mapper.byKind("v1", "Namespace")?.namespaced, false);
    assert.equal(mapper.byKind("kind.x-k8s.io/v1alpha4", "Cluster"), undefined);
  });
}

test("arguments: types, names, pairs and categories", async () => {
  const { mapper } = await mapperFrom(aggregated);
  const parse = (...args: string[]): string[] =>
    parseResourceArguments(args, mapper).map(({ resource, names }) => `${resource.plural}:${names.join(",")}`);
  assert.deepEqual(parse("pods"), ["pods:"]);
  assert.deepEqual(parse("pod", "a", "b"), ["pods:a,b"]);
  assert.deepEqual(parse("pods,svc"), ["pods:", "services:"]);
  assert.deepEqual(parse("po,pods"), ["pods:"]);
  assert.deepEqual(parse("pod/a", "svc/b"), ["pods:a", "services:b"]);
  assert.deepEqual(parse("all"), ["pods:", "services:", "deployments:"]);
  assert.deepEqual(parse("gateway-api"), ["gatewayclasses:", "gateways:", "httproutes:"]);
  for (const args of [["pods", "pod/a"], ["pod/a", "b"], ["pod/"], ["/a"], ["pod/a/b"], ["pods,foo"], ["foo/a"]]) {
    assert.throws(() => parse(...args), UserError, args.join(" "));
  }
});
