import assert from "node:assert/strict";
import { test } from "node:test";
import { crd } from "./crd/crd.fixture.ts";
import { definitionsOf } from "./crd/definition.ts";
import { Discovery } from "./discovery.ts";
import { builtInDefinitions } from "./kinds/built-in.ts";
import { Registry } from "./registry.ts";

const kubectl =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

function served(): { registry: Registry; get: (path: string, accept?: string) => Record<string, never> | undefined } {
  const registry = new Registry(builtInDefinitions());
  const discovery = new Discovery(registry);
  const get = (path: string, accept = "application/json") => {
    const answer = discovery.answer(path, accept);
    return answer && (JSON.parse(answer.body) as Record<string, never>);
  };
  return { registry, get };
}

test("the legacy form", () => {
  const { get } = served();
  assert.deepEqual(get("/api"), { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
  const groups = get("/apis") as unknown as { kind: string; groups: { name: string }[] };
  assert.equal(groups.kind, "APIGroupList");
  assert.ok(!groups.groups.some(({ name }) => name === ""));
  assert.deepEqual(get("/apis/apps"), {
    kind: "APIGroup",
    apiVersion: "v1",
    name: "apps",
    versions: [{ groupVersion: "apps/v1", version: "v1" }],
    preferredVersion: { groupVersion: "apps/v1", version: "v1" },
  });
  const list = get("/apis/apps/v1") as unknown as { groupVersion: string; resources: { name: string }[] };
  assert.equal(list.groupVersion, "apps/v1");
  assert.deepEqual(
    list.resources.filter(({ name }) => name.startsWith("deployments")),
    [
      {
        name: "deployments",
        singularName: "deployment",
        namespaced: true,
        kind: "Deployment",
        verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        shortNames: ["deploy"],
        categories: ["all"],
      },
      {
        name: "deployments/scale",
        singularName: "",
        namespaced: true,
        group: "autoscaling",
        version: "v1",
        kind: "Scale",
        verbs: ["get", "patch", "update"],
      },
      {
        name: "deployments/status",
        singularName: "",
        namespaced: true,
        kind: "Deployment",
        verbs: ["get", "patch", "update"],
      },
    ],
  );
});

test("the aggregated form is given to those who ask for it, and only there", () => {
  const discovery = new Discovery(new Registry(builtInDefinitions()));
  const core = discovery.answer("/api", kubectl);
  assert.equal(core?.contentType, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const list = JSON.parse(core.body) as {
    apiVersion: string;
    items: { metadata: object; versions: { version: string; resources: { resource: string }[] }[] }[];
  };
  assert.equal(list.apiVersion, "apidiscovery.k8s.io/v2");
  assert.deepEqual(
    list.items[0]?.versions[0]?.resources.find(({ resource }) => resource === "namespaces"),
    {
      resource: "namespaces",
      responseKind: { group: "", version: "v1", kind: "Namespace" },
      scope: "Cluster",
      singularResource: "namespace",
      verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
      shortNames: ["ns"],
      subresources: [
        { subresource: "finalize", responseKind: { group: "", version: "v1", kind: "Namespace" }, verbs: ["update"] },
        {
          subresource: "status",
          responseKind: { group: "", version: "v1", kind: "Namespace" },
          verbs: ["get", "patch", "update"],
        },
      ],
    },
  );
  assert.equal(discovery.answer("/apis/apps/v1", kubectl)?.contentType, "application/json");
  assert.equal(discovery.answer("/apis", "application/json,*/*")?.contentType, "application/json");
  assert.equal(
    discovery.answer("/apis", "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json")
      ?.contentType,
    "application/json",
  );
});

test("what is not served has no answer", () => {
  const { get } = served();
  for (const path of ["/api/v2", "/apis/none.example.com", "/apis/apps/v2", "/apis/apps/v1/x", "/api/v1/x", "/other"]) {
    assert.equal(get(path), undefined, path);
  }
});

test("custom resources come and go", () => {
  const { registry, get } = served();
  assert.equal(get("/apis/demo.example.com/v1"), undefined);
  registry.setCustom("routes.demo.example.com", definitionsOf(crd()));
  assert.deepEqual((get("/apis/demo.example.com") as { preferredVersion?: unknown } | undefined)?.preferredVersion, {
    groupVersion: "demo.example.com/v1",
    version: "v1",
  });
  registry.removeCustom("routes.demo.example.com");
  assert.equal(get("/apis/demo.example.com/v1"), undefined);
});
