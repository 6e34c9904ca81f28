// Write rules of Roles and ClusterRoles (pkg/apis/rbac/validation ValidatePolicyRule).

import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { PolicyRule } from "@gatehouse/apimachinery/types/rbac-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, required } from "../schema/field-cause.ts";
import { selectorCauses } from "./selector.ts";

export const roleStrategy: WriteStrategy = {
  validate: (object) => [
    ...((object.rules ?? []) as PolicyRule[]).flatMap((rule, index) =>
      ruleCauses(rule, object.kind === "Role", `rules[${index}]`),
    ),
    ...aggregationCauses(object["aggregationRule"] as AggregationRule | undefined),
  ],
};

interface AggregationRule {
  clusterRoleSelectors?: LabelSelector[];
}

function aggregationCauses(rule: AggregationRule | undefined): StatusCause[] {
  if (!rule) return [];
  const field = "aggregationRule.clusterRoleSelectors";
  const { clusterRoleSelectors: selectors = [] } = rule;
  if (selectors.length === 0) {
    return [required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil")];
  }
  return selectors.flatMap((selector, index) => selectorCauses(selector, `${field}[${index}]`));
}

function ruleCauses(rule: PolicyRule, isNamespaced: boolean, field: string): StatusCause[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (verbs.length === 0) return [required(`${field}.verbs`, "verbs must contain at least one value")];
  if (nonResourceURLs.length > 0) {
    const at = `${field}.nonResourceURLs`;
    if (isNamespaced) return [invalidValue(at, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs")];
    return apiGroups.length + resources.length + resourceNames.length > 0
      ? [invalidValue(at, nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs")]
      : [];
  }
  const causes: StatusCause[] = [];
  if (apiGroups.length === 0) {
    causes.push(required(`${field}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (resources.length === 0) {
    causes.push(required(`${field}.resources`, "resource rules must supply at least one resource"));
  }
  return causes;
}
