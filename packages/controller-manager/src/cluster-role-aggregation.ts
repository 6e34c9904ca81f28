// ClusterRoles with an aggregationRule have the rules of all ClusterRoles that it selects: how a chart adds its kinds to
// `view`, `edit` and `admin` (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles).

import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type ClusterRole, clusterRoles, type PolicyRule } from "@gatehouse/apimachinery/types/rbac-v1";
import { canonical } from "./canonical-json.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";

export function startClusterRoleAggregation(context: ControllerContext): Controller {
  const { view, client } = context;
  const queue = controllerQueue("clusterrole-aggregation-controller", context, async (name) => {
    const role = view.clusterRoles.get(name);
    if (!role?.aggregationRule || role.metadata.deletionTimestamp) return;
    const rules = aggregatedRules(role, view.clusterRoles.all());
    if (canonical(rules) === canonical(role.rules ?? [])) return;
    try {
      view.clusterRoles.wrote(await client.patch<ClusterRole>(clusterRoles, { name }, "merge", { rules }));
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  });
  const unsubscribe = view.clusterRoles.onChange(() => {
    for (const role of view.clusterRoles.all()) if (role.aggregationRule) queue.add(role.metadata.name);
  });
  return {
    stop: async () => {
      unsubscribe();
      await queue.stop();
    },
  };
}

/** The rules of the roles that `role` selects, by their names, each rule once. */
export function aggregatedRules(role: ClusterRole, all: ClusterRole[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(requirementsOf);
  const selected = all
    .filter(({ metadata }) => metadata.name !== role.metadata.name)
    .filter(({ metadata }) => selectors.some((requirements) => matchesLabels(requirements, metadata.labels)))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules = new Map(selected.flatMap((one) => one.rules ?? []).map((rule) => [canonical(rule), rule]));
  return [...rules.values()];
}
