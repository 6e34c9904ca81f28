// The Gateway API's CRDs go through everything that custom resources go through: ours always, and the official ones
// where they are at hand.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { bundles, officialDefinitions } from "@gatehouse/gateway-api/testing";
import { builtInDefinitions } from "../kinds/built-in.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { applyDefaults } from "../schema/default.ts";
import { pruneUnknown } from "../schema/prune.ts";
import { validateSchema } from "../schema/validate.ts";
import { definitionsOf } from "./definition.ts";
import { validateCrd } from "./validate-crd.ts";

/** The definitions to test, by where they come from. */
const sources: { name: string; skip: string | false; crds: () => KubeObject[] }[] = bundles.flatMap((bundle) => {
  const name = `${bundle.version} ${bundle.channel}`;
  return [
    { name: `official ${name}`, ...officialDefinitions(bundle) },
    { name: `our ${name}`, skip: false, crds: () => customResourceDefinitions(bundle) },
  ];
});

function httpRoute(crds: KubeObject[]): ResourceDefinition {
  const found = crds.flatMap(definitionsOf).find(({ type }) => type.kind === "HTTPRoute" && type.version === "v1");
  assert.ok(found);
  return found;
}

/** An object after decoding: unknown fields, and faults as `field: message`. */
function decode({ schema }: ResourceDefinition, object: KubeObject): { unknown: string[]; faults: string[] } {
  const unknown = pruneUnknown(schema, object);
  applyDefaults(schema, object);
  return { unknown, faults: validateSchema(schema, object).map(({ field, message }) => `${field}: ${message}`) };
}

for (const { name, skip, crds } of sources) {
  describe(name, { skip }, () => {
    test("the definitions are valid, strictly", () => {
      const crdDefinition = builtInDefinitions().find(({ type }) => type.kind === "CustomResourceDefinition");
      assert.ok(crdDefinition);
      let count = 0;
      for (const crd of crds()) {
        const { status: _status, ...stored } = structuredClone(crd);
        assert.deepEqual(decode(crdDefinition, stored), { unknown: [], faults: [] }, crd.metadata.name);
        assert.deepEqual(validateCrd(crd), [], crd.metadata.name);
        count += definitionsOf(crd).length;
      }
      assert.ok(count >= 5, `${count} definitions`);
    });

    test("an HTTPRoute is completed as the real API server does", () => {
      const route: KubeObject = {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "whoami" },
        spec: {
          parentRefs: [{ name: "traefik-gateway", namespace: "traefik" }],
          hostnames: ["whoami.localhost"],
          rules: [{ backendRefs: [{ name: "whoami-v1", port: 80 }] }],
        },
      };
      assert.deepEqual(decode(httpRoute(crds()), route), { unknown: [], faults: [] });
      assert.deepEqual(route["spec"], {
        parentRefs: [
          { group: "gateway.networking.k8s.io", kind: "Gateway", name: "traefik-gateway", namespace: "traefik" },
        ],
        hostnames: ["whoami.localhost"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/" } }],
            backendRefs: [{ group: "", kind: "Service", name: "whoami-v1", port: 80, weight: 1 }],
          },
        ],
      });
    });

    test("a wrong HTTPRoute is refused field by field", () => {
      const route: KubeObject = {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "whoami" },
        spec: {
          hostnames: ["Not A Host"],
          rules: [{ matches: [{ method: "FETCH" }], backendRefs: [{ port: 0 }], typo: 1 }],
        },
      };
      const { unknown, faults } = decode(httpRoute(crds()), route);
      assert.deepEqual(unknown, ["spec.rules[0].typo"]);
      assert.deepEqual(faults.map((fault) => fault.replace(/should match '.*'$/, "should match ...")).toSorted(), [
        'spec.hostnames[0]: Invalid value: "Not A Host": spec.hostnames[0] in body should match ...',
        "spec.rules[0].backendRefs[0].name: Required value",
        "spec.rules[0].backendRefs[0].port: Invalid value: 0: spec.rules[0].backendRefs[0].port in body should be greater than or equal to 1",
        'spec.rules[0].matches[0].method: Unsupported value: "FETCH": supported values: "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"',
      ]);
    });
  });
}
