// Rules at work in the server: wrong routes are refused, the demo's manifests and their statuses pass, wrong rules never get in.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { parseAllDocuments } from "yaml";
import { crd } from "./crd/crd.fixture.ts";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

const gatewayApi = (plural: string, kind: string, namespaced = true): ResourceType => ({
  group: "gateway.networking.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced,
});
const types: Record<string, ResourceType> = {
  GatewayClass: gatewayApi("gatewayclasses", "GatewayClass", false),
  Gateway: gatewayApi("gateways", "Gateway"),
  HTTPRoute: gatewayApi("httproutes", "HTTPRoute"),
};
const routes = gatewayApi("httproutes", "HTTPRoute");
const crds: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};
const namespaces: ResourceType = {
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
};

function manifests(): KubeObject[] {
  const directory = join(import.meta.dirname, "../../../manifests");
  return ["gateway", "httproute-host", "httproute-path", "httproute-dashboard"]
    .flatMap((name) => parseAllDocuments(readFileSync(join(directory, `${name}.yaml`), "utf8")))
    .map((document) => document.toJS() as KubeObject)
    .filter((object) => object !== null);
}

function route(name: string, rule: object): KubeObject {
  const metadata = { name, namespace: "demo" };
  return { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata, spec: { rules: [rule] } };
}

const redirect = { type: "RequestRedirect", requestRedirect: {} };
const backendRefs = [{ name: "whoami-v1", port: 80 }];

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
  for (const definition of customResourceDefinitions({ version: "v1.4.0", channel: "standard" })) {
    await client.create(crds, definition);
  }
  for (const name of ["demo", "traefik"]) {
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
});
after(() => cluster.close());

describe("the demo's objects", () => {
  it("pass, and so do their statuses", async () => {
    const objects = manifests();
    assert.ok(objects.length >= 4);
    for (const object of objects) {
      const type = types[object.kind] ?? assert.fail(object.kind);
      const created = await client.create(type, object);
      const status = object.kind === "Gateway" ? { addresses: [{ type: "Hostname", value: "gw.example.com" }] } : {};
      await client.updateStatus(type, {
        ...created,
        status: { ...(created.status as object), ...status, parents: [] },
      });
    }
    assert.equal((await client.list(routes)).items.length, 3);
  });

  it("a status is held to the rules of the status", async () => {
    const gateway = await client.get(gatewayApi("gateways", "Gateway"), "traefik-gateway", "traefik");
    await assert.rejects(
      client.updateStatus(gatewayApi("gateways", "Gateway"), {
        ...gateway,
        status: { addresses: [{ type: "Hostname", value: "not a host" }] },
      }),
      refusedWith(422, /status\.addresses\[0\]: Invalid value: "object": Hostname value must only contain valid/),
    );
  });
});

describe("an HTTPRoute that breaks a rule", () => {
  const wrong: [name: string, rule: object, says: RegExp][] = [
    [
      "two redirects",
      { filters: [redirect, redirect] },
      /^HTTPRoute\.gateway\.networking\.k8s\.io "r" is invalid: spec\.rules\[0\]\.filters: Invalid value: "array": RequestRedirect filter cannot be repeated$/,
    ],
    [
      "a redirect with backends",
      { filters: [redirect], backendRefs },
      /spec\.rules\[0\]: Invalid value: "object": RequestRedirect filter must not be used together with backendRefs$/,
    ],
    [
      "a prefix rewrite without a prefix",
      {
        matches: [{ path: { type: "Exact", value: "/a" } }],
        filters: [
          { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
        ],
        backendRefs,
      },
      /When using URLRewrite filter with path\.replacePrefixMatch, exactly one PathPrefix match must be specified$/,
    ],
  ];
  for (const [name, rule, says] of wrong) {
    it(`is refused: ${name}`, async () => {
      await assert.rejects(client.create(routes, route("r", rule)), (error) => {
        assert.ok(error instanceof StatusError);
        assert.deepEqual(
          error.status.details?.causes?.map(({ reason }) => reason),
          ["FieldValueInvalid"],
        );
        return refusedWith(422, says)(error);
      });
      await assert.rejects(client.get(routes, "r", "demo"), refusedWith(404));
    });
  }

  it("is refused as a patch, and the stored one stays", async () => {
    await client.create(routes, route("patched", { backendRefs }));
    const target = { name: "patched", namespace: "demo" };
    const change = { spec: { rules: [{ backendRefs, filters: [redirect] }] } };
    await assert.rejects(
      client.patch(routes, target, "merge", change),
      refusedWith(422, /must not be used together with backendRefs/),
    );
    const { spec } = await client.get(routes, "patched", "demo");
    assert.equal((spec as { rules: { filters?: object }[] }).rules[0]?.filters, undefined);
  });

  it("has its form checked first", async () => {
    const faulty = route("r", { filters: [{ ...redirect, type: "Nonsense" }], backendRefs });
    await assert.rejects(
      client.create(routes, faulty),
      refusedWith(
        422,
        /Unsupported value: "Nonsense".*<nil>: Invalid value: "null": some validation rules were not checked/,
      ),
    );
  });
});

it("a GatewayClass keeps its controller", async () => {
  const classes = gatewayApi("gatewayclasses", "GatewayClass", false);
  const made = await client.create(classes, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "kept" },
    spec: { controllerName: "example.com/one" },
  });
  await assert.rejects(
    client.update(classes, { ...made, spec: { controllerName: "example.com/two" } }),
    refusedWith(422, /spec\.controllerName: Invalid value: "string": Value is immutable/),
  );
});

it("a definition with a wrong rule is refused", async () => {
  const broken = crd();
  broken.spec.versions[0].schema.openAPIV3Schema["x-kubernetes-validations"] = [{ rule: "self.spec.nothing" }];
  await assert.rejects(client.create(crds, broken), refusedWith(422, /\.rule: .*undefined field 'nothing'/s));
});
