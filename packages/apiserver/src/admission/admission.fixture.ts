// Policies and bindings for tests.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

const policyKind = (plural: string, kind: string): ResourceType => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced: false,
});
export const policies = policyKind("validatingadmissionpolicies", "ValidatingAdmissionPolicy");
export const bindings = policyKind("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding");
export const configMaps: ResourceType = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
  namespaced: true,
};

/** What `resources` are changed by `operations`. */
export const rule = (resources: string[], more: object = {}): object => ({
  apiGroups: [""],
  apiVersions: ["v1"],
  operations: ["CREATE", "UPDATE"],
  resources,
  ...more,
});

/** A policy about ConfigMaps, with `spec` over it. */
export function policy(name: string, spec: object): KubeObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: policies.kind,
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [rule(["configmaps"])] }, ...spec },
  };
}

/** Its binding, which denies. */
export function binding(policyName: string, spec: object = {}, name = policyName): KubeObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: bindings.kind,
    metadata: { name },
    spec: { policyName, validationActions: ["Deny"], ...spec },
  };
}

export function configMap(name: string, data: Record<string, string>, labels?: Record<string, string>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", ...(labels ? { labels } : {}) },
    data,
  };
}
