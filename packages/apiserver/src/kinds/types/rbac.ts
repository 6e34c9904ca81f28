// Rules and who they are for (rbac.authorization.k8s.io/v1).

import { labelSelector } from "./meta.ts";
import { listOf, str, strings, struct } from "../schema-helpers.ts";

export const policyRule = struct("rbac.v1.PolicyRule", "What may be done to which resources.", {
  apiGroups: strings("API groups; empty text for core, * for all."),
  nonResourceURLs: strings("URLs that are no resources."),
  resourceNames: strings("Only objects of these names."),
  resources: strings("Resources; * for all."),
  "verbs!": strings("Verbs that are allowed; * for all."),
});

export const aggregationRule = struct("rbac.v1.AggregationRule", "Cluster roles whose rules are taken over.", {
  clusterRoleSelectors: listOf(labelSelector),
});

export const roleRef = struct(
  "rbac.v1.RoleRef",
  "The role that is granted.",
  {
    "apiGroup!": str(undefined, { default: "rbac.authorization.k8s.io" }),
    "kind!": str(),
    "name!": str(),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const subject = struct(
  "rbac.v1.Subject",
  "A user, a group or a service account.",
  {
    apiGroup: str(),
    "kind!": str(),
    "name!": str(),
    namespace: str(),
  },
  { "x-kubernetes-map-type": "atomic" },
);
