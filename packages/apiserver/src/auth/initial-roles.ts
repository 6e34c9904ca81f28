// The cluster roles and bindings that exist from the start, as far as they mean something here.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { authenticatedGroup, mastersGroup } from "./identity.ts";
import type { PolicyRule } from "./authorization.ts";

const apiVersion = "rbac.authorization.k8s.io/v1";
const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const read = ["get", "list", "watch"];
const write = ["create", "delete", "deletecollection", "patch", "update"];

const viewed: PolicyRule[] = [
  {
    apiGroups: [""],
    resources: [
      "configmaps",
      "endpoints",
      "events",
      "namespaces",
      "pods",
      "pods/log",
      "pods/status",
      "serviceaccounts",
      "services",
      "services/status",
    ],
    verbs: read,
  },
  {
    apiGroups: ["apps"],
    resources: [
      "controllerrevisions",
      "daemonsets",
      "daemonsets/status",
      "deployments",
      "deployments/scale",
      "deployments/status",
      "replicasets",
      "replicasets/scale",
      "replicasets/status",
      "statefulsets",
      "statefulsets/scale",
      "statefulsets/status",
    ],
    verbs: read,
  },
  { apiGroups: ["batch"], resources: ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], verbs: read },
  {
    apiGroups: ["autoscaling"],
    resources: ["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
    verbs: read,
  },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets", "poddisruptionbudgets/status"], verbs: read },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
  {
    apiGroups: ["networking.k8s.io"],
    resources: ["ingresses", "ingresses/status", "networkpolicies"],
    verbs: read,
  },
];

const edited: PolicyRule[] = [
  ...viewed,
  { apiGroups: [""], resources: ["pods/attach", "pods/exec", "pods/portforward", "secrets"], verbs: read },
  {
    apiGroups: [""],
    resources: [
      "configmaps",
      "events",
      "pods",
      "pods/attach",
      "pods/eviction",
      "pods/exec",
      "pods/portforward",
      "secrets",
      "serviceaccounts",
      "services",
    ],
    verbs: write,
  },
  { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
  {
    apiGroups: ["apps"],
    resources: [
      "daemonsets",
      "deployments",
      "deployments/scale",
      "replicasets",
      "replicasets/scale",
      "statefulsets",
      "statefulsets/scale",
    ],
    verbs: write,
  },
  { apiGroups: ["batch"], resources: ["cronjobs", "jobs"], verbs: write },
  { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: write },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: write },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"], verbs: write },
];

const administered: PolicyRule[] = [
  ...edited,
  { apiGroups: ["rbac.authorization.k8s.io"], resources: ["rolebindings", "roles"], verbs: [...read, ...write] },
];

const everything: PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
  { nonResourceURLs: ["*"], verbs: ["*"] },
];

const discovery: PolicyRule[] = [
  {
    nonResourceURLs: [
      "/api",
      "/api/*",
      "/apis",
      "/apis/*",
      "/healthz",
      "/livez",
      "/openapi",
      "/openapi/*",
      "/readyz",
      "/version",
      "/version/",
    ],
    verbs: ["get"],
  },
];

const issuer: PolicyRule[] = [
  {
    nonResourceURLs: [
      "/.well-known/openid-configuration",
      "/.well-known/openid-configuration/",
      "/openid/v1/jwks",
      "/openid/v1/jwks/",
    ],
    verbs: ["get"],
  },
];

const selfReviews: PolicyRule[] = [
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    verbs: ["create"],
  },
  { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
];

/** Fresh objects at each call. */
export function initialRoles(): KubeObject[] {
  return [
    role("cluster-admin", everything),
    ...aggregated("admin", administered),
    ...aggregated("edit", edited),
    ...aggregated("view", viewed),
    role("system:discovery", discovery),
    role("system:basic-user", selfReviews),
    role("system:service-account-issuer-discovery", issuer),
    binding("cluster-admin", mastersGroup),
    binding("system:discovery", authenticatedGroup),
    binding("system:basic-user", authenticatedGroup),
    binding("system:service-account-issuer-discovery", "system:serviceaccounts"),
  ];
}

/**
 * A role that takes rules over from others, and the one it has its own from. Both have them from the start: nobody has to
 * wait for the controller.
 */
function aggregated(name: string, rules: PolicyRule[]): KubeObject[] {
  const label = `rbac.authorization.k8s.io/aggregate-to-${name}`;
  const source = role(`system:aggregate-to-${name}`, rules);
  source.metadata.labels = { ...labels, [label]: "true" };
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [label]: "true" } }] };
  return [source, { ...role(name, rules), aggregationRule }];
}

function role(name: string, rules: PolicyRule[]): KubeObject {
  return { apiVersion, kind: "ClusterRole", metadata: { name, labels: { ...labels } }, rules: structuredClone(rules) };
}

function binding(name: string, group: string): KubeObject {
  return {
    apiVersion,
    kind: "ClusterRoleBinding",
    metadata: { name, labels: { ...labels } },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group }],
  };
}
