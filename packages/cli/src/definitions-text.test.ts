import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { parseAllDocuments } from "yaml";
import { definitionsText, fieldsText, selectKinds } from "./definitions-text.ts";
import { bundleObjects } from "./steps/definition-bundle.ts";

const newest = { version: "v1.6.1", channel: "standard" } as const;

test("YAML and JSON hold the same objects, which are all of the bundle", async () => {
  const objects = bundleObjects(newest);
  const yaml = parseAllDocuments(await definitionsText(objects, "yaml")).map((each) => each.toJS() as KubeObject);
  assert.deepEqual(yaml, objects);
  const json = JSON.parse(await definitionsText(objects, "json")) as { kind: string; items: KubeObject[] };
  assert.deepEqual([json.kind, json.items], ["List", objects]);
  assert.deepEqual(
    objects.slice(-2).map(({ kind }) => kind),
    ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"],
  );
});

test("kinds are chosen by kind, plural and short name; others are refused with a list", () => {
  const names = selectKinds(bundleObjects(newest), ["HTTPRoute", "gateways", "btlspolicy"], newest).map(
    ({ metadata }) => metadata.name.split(".")[0],
  );
  assert.deepEqual(names, ["httproutes", "gateways", "backendtlspolicies"]);
  assert.throws(() => selectKinds(bundleObjects(newest), ["pod"], newest), {
    message: /^pod: v1\.6\.1 has in its standard channel GatewayClass, .*UDPRoute$/,
  });
});

test("fields that are not everywhere are listed with where they are, their own fields are not", () => {
  const lines = fieldsText(["httproute"]).split("\n");
  const line = (path: string): string | undefined => lines.find((each) => each.includes(`${path} `));
  assert.match(
    line(".spec.rules[].retry") ?? "",
    /^HTTPRoute +v1,v1beta1 .* v1\.4\.0 experimental, v1\.6\.1 experimental$/,
  );
  assert.match(line("filters[].cors") ?? "", /v1\.4\.0 experimental, v1\.6\.1 standard, v1\.6\.1 experimental$/);
  assert.equal(line(".spec.rules[].retry.codes"), undefined);
  assert.equal(line(".spec.hostnames"), undefined);
  assert.throws(() => fieldsText(["pod"]), { message: /^pod: the kinds are GatewayClass, / });
});
