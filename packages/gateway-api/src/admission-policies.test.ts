import assert from "node:assert/strict";
import { test } from "node:test";
import { admissionPolicies } from "./admission-policies.ts";
import { bundles, officialDefinitions } from "./testing.ts";

for (const bundle of bundles) {
  const { skip, policies } = officialDefinitions(bundle);
  test(`${bundle.version} ${bundle.channel}: the policies are the official ones`, { skip }, () => {
    assert.deepEqual(admissionPolicies(bundle), policies());
  });
}

test("v1.4.0 has none, v1.6.1 a policy and its binding, fresh at each call", () => {
  assert.deepEqual(admissionPolicies({ version: "v1.4.0", channel: "experimental" }), []);
  const [first, binding] = admissionPolicies({ version: "v1.6.1", channel: "standard" });
  assert.equal(first?.kind, "ValidatingAdmissionPolicy");
  assert.ok(binding);
  assert.equal((binding.spec as { policyName: string }).policyName, first.metadata.name);
  first.metadata.annotations = {};
  const [second] = admissionPolicies({ version: "v1.6.1", channel: "standard" });
  assert.equal(second?.metadata.annotations?.["gateway.networking.k8s.io/bundle-version"], "v1.6.1");
});
