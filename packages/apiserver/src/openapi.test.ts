import assert from "node:assert/strict";
import { test } from "node:test";
import { crd } from "./crd/crd.fixture.ts";
import { definitionsOf } from "./crd/definition.ts";
import { builtInDefinitions } from "./kinds/built-in.ts";
import { OpenApi } from "./openapi.ts";
import { Registry } from "./registry.ts";

type Tree = Record<string, unknown>;

interface Document {
  paths: Record<
    string,
    Record<string, { parameters?: { name: string }[]; "x-kubernetes-group-version-kind"?: unknown }>
  >;
  components: {
    schemas: Record<string, { properties?: Record<string, Tree>; "x-kubernetes-group-version-kind"?: unknown }>;
  };
}

function served() {
  const registry = new Registry(builtInDefinitions());
  const openApi = new OpenApi(registry);
  const document = (key: string): Document => {
    const answer = openApi.answer(`/openapi/v3/${key}`);
    assert.ok(answer, key);
    return JSON.parse(answer.body.toString()) as Document;
  };
  const index = () =>
    (
      JSON.parse(openApi.answer("/openapi/v3")?.body.toString() ?? "") as {
        paths: Record<string, { serverRelativeURL: string }>;
      }
    ).paths;
  return { registry, openApi, document, index };
}

test("the index names every group version by hash, and the hash moves with the content", () => {
  const { registry, openApi, index } = served();
  const before = index();
  assert.ok(before["api/v1"] && before["apis/apps/v1"]);
  for (const [key, { serverRelativeURL }] of Object.entries(before)) {
    const url = new URL(serverRelativeURL, "https://x");
    assert.equal(url.pathname, `/openapi/v3/${key}`);
    const answer = openApi.answer(url.pathname, url.searchParams.get("hash") ?? "");
    assert.match(answer?.headers?.["cache-control"] ?? "", /immutable/);
  }
  assert.equal(openApi.answer("/openapi/v3/api/v1", "STALE")?.headers?.["cache-control"], undefined);
  registry.setCustom("routes", definitionsOf(crd()));
  const first = index();
  assert.equal(first["api/v1"]?.serverRelativeURL, before["api/v1"]?.serverRelativeURL);
  const changed = crd();
  changed.spec.versions[0].schema.openAPIV3Schema.description = "Changed.";
  registry.setCustom("routes", definitionsOf(changed));
  const key = "apis/demo.example.com/v1";
  assert.ok(first[key] && first[key].serverRelativeURL !== index()[key]?.serverRelativeURL);
  registry.removeCustom("routes");
  assert.equal(index()[key], undefined);
  assert.equal(openApi.answer(`/openapi/v3/${key}`), undefined);
});

test("every reference leads somewhere, and no note of ours leaks", () => {
  const { index, openApi } = served();
  for (const key of Object.keys(index())) {
    const text = openApi.answer(`/openapi/v3/${key}`)?.body.toString() ?? "";
    const { schemas } = (JSON.parse(text) as Document).components;
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(schemas[name ?? ""], `${key}: ${name}`);
    assert.ok(!text.includes('"uniqueItems":false'), key);
  }
});

test("patches of every kind take fieldValidation, as kubectl wants it", () => {
  const { registry, document } = served();
  registry.setCustom("routes", definitionsOf(crd()));
  const cases: [string, string, Tree][] = [
    [
      "apis/apps/v1",
      "/apis/apps/v1/namespaces/{namespace}/deployments/{name}",
      { group: "apps", version: "v1", kind: "Deployment" },
    ],
    ["api/v1", "/api/v1/namespaces/{name}", { group: "", version: "v1", kind: "Namespace" }],
    [
      "apis/demo.example.com/v1",
      "/apis/demo.example.com/v1/namespaces/{namespace}/routes/{name}",
      { group: "demo.example.com", version: "v1", kind: "Route" },
    ],
    [
      "apis/apps/v1",
      "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
      { group: "autoscaling", version: "v1", kind: "Scale" },
    ],
  ];
  for (const [key, path, gvk] of cases) {
    const patch = document(key).paths[path]?.["patch"];
    assert.ok(
      patch?.parameters?.some(({ name }) => name === "fieldValidation"),
      path,
    );
    assert.deepEqual(patch?.["x-kubernetes-group-version-kind"], gvk);
  }
  const reviews = document("apis/authentication.k8s.io/v1").paths["/apis/authentication.k8s.io/v1/tokenreviews"] ?? {};
  assert.deepEqual(Object.keys(reviews), ["post", "parameters"]);
});

test("only built-in kinds offer strategic merge: kubectl uses it wherever it is offered", () => {
  const { registry, document } = served();
  registry.setCustom("routes", definitionsOf(crd()));
  const strategic = "application/strategic-merge-patch+json";
  const types = (key: string, path: string): string[] => {
    const patch = document(key).paths[path]?.["patch"] as { requestBody?: { content: object } } | undefined;
    return Object.keys(patch?.requestBody?.content ?? {});
  };
  assert.ok(types("apis/apps/v1", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}").includes(strategic));
  const custom = types("apis/demo.example.com/v1", "/apis/demo.example.com/v1/namespaces/{namespace}/routes/{name}");
  assert.ok(custom.includes("application/merge-patch+json") && !custom.includes(strategic));
});

test("schemas are named as in Kubernetes and keep merge keys", () => {
  const { registry, document } = served();
  const apps = document("apis/apps/v1").components.schemas;
  assert.deepEqual(apps["io.k8s.api.apps.v1.Deployment"]?.["x-kubernetes-group-version-kind"], [
    { group: "apps", version: "v1", kind: "Deployment" },
  ]);
  const { containers } = apps["io.k8s.api.core.v1.PodSpec"]?.properties ?? {};
  assert.equal(containers?.["x-kubernetes-patch-merge-key"], "name");
  assert.deepEqual(containers["items"], { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" });
  const { strategy } = apps["io.k8s.api.apps.v1.DeploymentSpec"]?.properties ?? {};
  assert.deepEqual(strategy?.["allOf"], [{ $ref: "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy" }]);
  assert.equal(strategy["x-kubernetes-patch-strategy"], "retainKeys");
  registry.setCustom("routes", definitionsOf(crd()));
  assert.ok(document("apis/demo.example.com/v1").components.schemas["com.example.demo.v1.Route"]);
});

test("paths that are no document have no answer", () => {
  const { openApi } = served();
  for (const path of ["/openapi/v3/apis/none/v1", "/openapi", "/openapi/v3/api/v2"])
    assert.equal(openApi.answer(path), undefined, path);
});

test("version 2 has the same kinds in the words of version 2", () => {
  const { openApi } = served();
  const json = openApi.answer("/openapi/v2", undefined, "application/json");
  const document = JSON.parse(json?.body.toString() ?? "") as {
    paths: Record<string, { patch: { parameters: { name: string }[] } }>;
    definitions: Record<string, Tree>;
  };
  const deployment = document.definitions["io.k8s.api.apps.v1.Deployment"];
  assert.deepEqual(deployment?.["x-kubernetes-group-version-kind"], [
    { group: "apps", version: "v1", kind: "Deployment" },
  ]);
  const either = document.definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"];
  assert.deepEqual([either?.["type"], either?.["format"]], ["string", "int-or-string"]);
  const text = JSON.stringify(document.definitions);
  assert.doesNotMatch(text, /#\/components|"oneOf":\[|"anyOf":\[|"nullable":true/);
  for (const [, name = ""] of text.matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) {
    assert.ok(Object.hasOwn(document.definitions, name), name);
  }
  const patch = document.paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]?.patch;
  assert.ok(patch?.parameters.some(({ name }) => name === "dryRun"));
});

test("version 2 comes as protobuf to those who ask for it, and anew when kinds change", () => {
  const { openApi, registry } = served();
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const first = openApi.answer("/openapi/v2", undefined, accept);
  assert.equal(first?.contentType, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  const bytes = Buffer.from(first.body);
  // Document.swagger, Info.title and the name of a definition as their fields.
  assert.ok(bytes.toString("latin1").startsWith("\n\x032.0\x12\x0f\n\tGatehouse\x12\x02v1"));
  assert.ok(bytes.includes("\n\x1dio.k8s.api.apps.v1.Deployment\x12"));
  assert.equal(openApi.answer("/openapi/v2", undefined, accept), first);
  registry.setCustom("routes", definitionsOf(crd()));
  assert.notEqual(openApi.answer("/openapi/v2", undefined, accept), first);
});
