// Aggregated ClusterRoles: what a chart adds for `view` is what a viewer may do, until it is taken away.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ClusterRole, clusterRoles } from "@gatehouse/apimachinery/types/rbac-v1";
import { startTestCluster, type TestCluster } from "./cluster.ts";

describe("an aggregated ClusterRole", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster.close());

  const resourcesOf = (role: ClusterRole | undefined): string[] =>
    (role?.rules ?? []).flatMap(({ resources = [] }) => resources);
  const view = (holds: (resources: string[]) => boolean): Promise<ClusterRole[]> =>
    cluster.until(clusterRoles, (all) => holds(resourcesOf(all.find(({ metadata }) => metadata.name === "view"))));

  it("has the rules of those it selects, and of no others", async () => {
    await view((resources) => resources.includes("pods") && resources.includes("statefulsets"));
    const role = (name: string, target: string, resource: string): ClusterRole => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name, labels: { [`rbac.authorization.k8s.io/aggregate-to-${target}`]: "true" } },
      rules: [{ apiGroups: ["example.com"], resources: [resource], verbs: ["get"] }],
    });
    await cluster.client.create(clusterRoles, role("gadget-editor", "edit", "gadgets"));
    await cluster.client.create(clusterRoles, role("widget-viewer", "view", "widgets"));
    const found = await view((resources) => resources.includes("widgets"));
    const named = (name: string) => found.find(({ metadata }) => metadata.name === name);
    assert.ok(!resourcesOf(named("view")).includes("gadgets"));
    assert.ok(resourcesOf(named("view")).includes("pods"));
    await cluster.client.delete(clusterRoles, "widget-viewer");
    await view((resources) => !resources.includes("widgets"));
  });
});
