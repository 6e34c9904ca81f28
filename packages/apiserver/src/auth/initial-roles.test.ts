import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicyRule } from "./authorization.ts";
import { initialRoles } from "./initial-roles.ts";

test("no role of a namespace may say where a Service leads (CVE-2021-25740), or what address a pod has", () => {
  const guarded = ["endpoints", "endpointslices", "pods/status", "services/status"];
  for (const name of ["admin", "edit", "view"]) {
    const role = initialRoles().find(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === name);
    const rules = (role as unknown as { rules: PolicyRule[] }).rules;
    for (const { resources = [], verbs } of rules) {
      const readOnly = verbs.every((verb) => ["get", "list", "watch"].includes(verb));
      const exposed = resources.filter((resource) => resource === "*" || guarded.includes(resource));
      assert.ok(readOnly || exposed.length === 0, `${name} may ${verbs.join(", ")} ${exposed.join(", ")}`);
    }
  }
});
