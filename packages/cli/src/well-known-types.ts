// The kinds whose URL is the same on every cluster: for them nothing has to be discovered.

import { apiVersionOf, type ResourceType } from "@gatehouse/apimachinery/resource-type";
import { controllerRevisions, daemonSets, deployments, replicaSets } from "@gatehouse/apimachinery/types/apps-v1";
import {
  configMaps,
  events,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  services,
} from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";

const inGroup = (group: string, kind: string, plural: string, namespaced: boolean): ResourceType => ({
  group,
  version: "v1",
  plural,
  kind,
  namespaced,
});

const rbac = "rbac.authorization.k8s.io";

export const customResourceDefinitions = inGroup(
  "apiextensions.k8s.io",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  false,
);

const types: readonly ResourceType[] = [
  pods,
  services,
  namespaces,
  configMaps,
  secrets,
  serviceAccounts,
  nodes,
  events,
  deployments,
  replicaSets,
  daemonSets,
  controllerRevisions,
  endpointSlices,
  customResourceDefinitions,
  inGroup(rbac, "ClusterRole", "clusterroles", false),
  inGroup(rbac, "ClusterRoleBinding", "clusterrolebindings", false),
  inGroup(rbac, "Role", "roles", true),
  inGroup(rbac, "RoleBinding", "rolebindings", true),
  inGroup("networking.k8s.io", "Ingress", "ingresses", true),
  inGroup("networking.k8s.io", "IngressClass", "ingressclasses", false),
];

const byKind = new Map(types.map((type) => [`${apiVersionOf(type)} ${type.kind}`, type]));

/** The built-in type of a manifest's words, if it is one of these. */
export function wellKnownType(apiVersion: string, kind: string): ResourceType | undefined {
  return byKind.get(`${apiVersion} ${kind}`);
}
