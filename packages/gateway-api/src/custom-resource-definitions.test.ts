// The oracle: our CRDs must equal the official install files in everything but their words.
// Without the official files (see testing.ts) the comparison is skipped.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { Bundle } from "./bundle.ts";
import { customResourceDefinitions } from "./custom-resource-definitions.ts";
import { bundles, officialDefinitions } from "./testing.ts";

interface CustomResourceDefinition extends KubeObject {
  spec: {
    names: { plural: string };
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      schema: { openAPIV3Schema: Schema };
    }[];
  };
}

function ours(bundle: Bundle): CustomResourceDefinition[] {
  return customResourceDefinitions(bundle) as CustomResourceDefinition[];
}

/** Every schema node below the root, with its path. */
function* nodes(schema: Schema, path = ""): Generator<[path: string, schema: Schema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodes(child, `${path}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === "object") yield* nodes(schema.additionalProperties, `${path}{}`);
}

function allNodes(crds: CustomResourceDefinition[]): [path: string, schema: Schema][] {
  return crds.flatMap((crd) =>
    crd.spec.versions.flatMap((version) => [
      ...nodes(version.schema.openAPIV3Schema, `${crd.spec.names.plural}/${version.name}`),
    ]),
  );
}

/** What must be equal: no words, no generator's annotation, no status (the API server writes it). */
function comparable(crd: CustomResourceDefinition): unknown {
  const copy = structuredClone(crd);
  for (const [, schema] of allNodes([copy])) delete schema.description;
  delete copy.metadata.annotations?.["controller-gen.kubebuilder.io/version"];
  delete copy.status;
  return copy;
}

const byName = (a: KubeObject, b: KubeObject): number => (a.metadata.name < b.metadata.name ? -1 : 1);
const words = (text: string): string => text.replace(/\s+/g, " ").trim().toLowerCase();

for (const bundle of bundles) {
  const { skip, crds } = officialDefinitions(bundle);

  describe(`official CRDs of ${bundle.version} ${bundle.channel}`, { skip }, () => {
    const theirs = skip ? [] : (crds() as CustomResourceDefinition[]).sort(byName);

    test("are the same kinds", () => {
      assert.deepEqual(
        ours(bundle)
          .sort(byName)
          .map((crd) => crd.metadata.name),
        theirs.map((crd) => crd.metadata.name),
      );
    });

    for (const crd of theirs) {
      test(`${crd.metadata.name} is equal`, () => {
        const mine = ours(bundle).find((each) => each.metadata.name === crd.metadata.name);
        assert.deepEqual(mine && comparable(mine), comparable(crd));
      });
    }

    test("are described in our own words", () => {
      const theirWords = allNodes(theirs)
        .map(([, schema]) => words(schema.description ?? ""))
        .join("\n");
      const copied = allNodes(ours(bundle))
        .filter(([, { description = "" }]) => description.split(" ").length > 6)
        .filter(([, { description = "" }]) => theirWords.includes(words(description).replace(/\.$/, "")));
      assert.deepEqual(
        copied.map(([path]) => path),
        [],
      );
    });
  });
}

describe("our CRDs", () => {
  for (const bundle of bundles) {
    test(`${bundle.version} ${bundle.channel}: everything is described, one version is stored, some are served`, () => {
      const crds = ours(bundle);
      const silent = allNodes(crds).filter(([, schema]) => !schema.description);
      assert.deepEqual(
        silent.map(([path]) => path).filter((path) => !/^\w+\/\w+\.metadata$/.test(path)),
        [],
      );
      for (const { metadata, spec } of crds) {
        for (const { schema } of spec.versions) {
          // kube-apiserver refuses a definition that says any more of it.
          assert.deepEqual(schema.openAPIV3Schema.properties?.["metadata"], { type: "object" }, metadata.name);
        }
        assert.equal(spec.versions.filter((version) => version.storage).length, 1, metadata.name);
        assert.ok(
          spec.versions.some((version) => version.served),
          metadata.name,
        );
        assert.equal(new Set(spec.versions.map((version) => version.name)).size, spec.versions.length, metadata.name);
      }
    });
  }

  test("standard v1.4.0 has the six kinds and none of the experimental fields", () => {
    const crds = ours({ version: "v1.4.0", channel: "standard" });
    assert.deepEqual(
      crds.map((crd) => crd.spec.names.plural),
      ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants", "backendtlspolicies"],
    );
    const paths = allNodes(crds).map(([path]) => path);
    assert.ok(paths.includes("httproutes/v1.spec.rules[].timeouts"));
    assert.ok(!paths.includes("httproutes/v1.spec.rules[].retry"));
    assert.ok(!paths.includes("gateways/v1.spec.tls"));
  });

  test("are plain JSON, fresh at each call", () => {
    const bundle: Bundle = { version: "v1.4.0", channel: "standard" };
    const first = ours(bundle);
    const pristine: unknown = JSON.parse(JSON.stringify(first));
    assert.deepEqual(first, pristine);
    for (const [, schema] of allNodes(first)) Object.assign(schema, { type: "boolean", default: 1 }).enum?.splice(0);
    assert.notDeepEqual(first, pristine);
    assert.deepEqual(ours(bundle), pristine);
  });

  test("a bundle that is not carried is refused by name", () => {
    const refusal = /No Gateway API bundle v1\.5\.0 standard: versions are v1\.4\.0, v1\.6\.1/;
    assert.throws(() => customResourceDefinitions({ version: "v1.5.0", channel: "standard" } as never), refusal);
    assert.throws(() => customResourceDefinitions({ version: "v1.4.0", channel: "beta" } as never), /v1\.4\.0 beta/);
  });
});

test("fields of the experimental channel say so, others do not", () => {
  const described = allNodes(ours({ version: "v1.6.1", channel: "experimental" }))
    .filter(([, { description = "" }]) => description.endsWith("(Experimental channel.)"))
    .map(([path]) => path);
  assert.ok(described.includes("httproutes/v1.spec.rules[].retry"));
  assert.ok(!described.includes("httproutes/v1.spec.rules[].timeouts"));
  assert.ok(!described.includes("gateways/v1.spec.tls"), "in v1.6.1 both channels have it");
});
