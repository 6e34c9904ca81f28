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
    ],
    verbs: read,
  },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingresses/status"], verbs: read },
];

const edited: PolicyRule[] = [
  ...viewed,
  { apiGroups: [""], resources: ["secrets"], verbs: read },
  {
    apiGroups: [""],
    resources: ["configmaps", "events", "pods", "pods/eviction", "secrets", "serviceaccounts", "services"],
    verbs: write,
  },
  { apiGroups: [""], resources: ["serviceaccounts/token"], verbs: ["create"] },
  {
    apiGroups: ["apps"],
    resources: ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale"],
    verbs: write,
  },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: write },
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
    role("admin", administered),
    role("edit", edited),
    role("view", viewed),
    role("system:discovery", discovery),
    role("system:basic-user", selfReviews),
    binding("cluster-admin", mastersGroup),
    binding("system:discovery", authenticatedGroup),
    binding("system:basic-user", authenticatedGroup),
  ];
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
