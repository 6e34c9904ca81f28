// Our definitions and the official ones judge alike: the same objects are valid, and the same fields of the others are at fault.
// The objects are grown from the schemas and changed at random; a seed makes the same ones again.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { bundles, officialDefinitions } from "@gatehouse/gateway-api/testing";
import { validateRules } from "../cel/rules.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { applyDefaults } from "../schema/default.ts";
import { pruneUnknown } from "../schema/prune.ts";
import { validateSchema } from "../schema/validate.ts";
import { definitionsOf } from "./definition.ts";
import { grow, mutate, seeded } from "./object-generator.fixture.ts";

const seed = 20_260_101;
/** In each bundle and each version: some 2,500 for a kind that all of them have. */
const objectsPerKind = 400;

/** What becomes of an object: its stored form, the fields that are dropped, and its faults in words. */
interface Verdict {
  stored: KubeObject;
  dropped: string[];
  faults: string[];
}

function judge({ schema }: ResourceDefinition, object: KubeObject): Verdict {
  const stored = structuredClone(object);
  const dropped = pruneUnknown(schema, stored);
  applyDefaults(schema, stored);
  const causes = validateSchema(schema, stored);
  const faults = [...causes, ...validateRules(schema, stored, undefined, causes)];
  return {
    stored,
    dropped,
    faults: faults.map(({ field, message }) => `${field}: ${message}`).sort(),
  };
}

/** An object of the kind: new, or the last valid one with a few changes. */
function nextObject(
  { schema, type }: ResourceDefinition,
  base: KubeObject | undefined,
  random: () => number,
): KubeObject {
  const value = base && random() < 0.7 ? mutate(base, schema, random) : grow(schema, random);
  const fields = value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
  return { ...fields, apiVersion: apiVersionOf(type), kind: type.kind, metadata: { name: "x" } };
}

const byVersion = (crds: KubeObject[]): Map<string, ResourceDefinition> =>
  new Map(crds.flatMap(definitionsOf).map((each) => [`${each.type.plural}.${each.type.version}`, each]));

for (const bundle of bundles) {
  const { skip, crds } = officialDefinitions(bundle);
  describe(`${bundle.version} ${bundle.channel}`, { skip }, () => {
    const official = skip ? new Map<string, ResourceDefinition>() : byVersion(crds());
    const ours = byVersion(customResourceDefinitions(bundle));
    for (const [name, definition] of official) {
      test(`${name}: the same verdicts`, () => {
        const own = ours.get(name);
        assert.ok(own);
        const random = seeded(seed);
        let base: KubeObject | undefined;
        let valid = 0;
        for (let count = 0; count < objectsPerKind; count++) {
          const object = nextObject(definition, base, random);
          const verdict = judge(definition, object);
          assert.deepEqual(judge(own, object), verdict, `object ${count}: ${JSON.stringify(object)}`);
          if (verdict.faults.length > 0) continue;
          valid++;
          base = verdict.stored;
        }
        // Otherwise the rules, which come last, would hardly have been asked.
        assert.ok(valid > objectsPerKind / 10 && valid < objectsPerKind, `${valid} of ${objectsPerKind} are valid`);
      });
    }
  });
}
