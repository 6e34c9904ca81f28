// ValidatingAdmissionPolicy and its binding as the server reads them, after validation and defaulting.

import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";

export const policyGroup = "admissionregistration.k8s.io";
export const policyResource = `${policyGroup}/validatingadmissionpolicies`;
export const bindingResource = `${policyGroup}/validatingadmissionpolicybindings`;

export type Operation = "CREATE" | "UPDATE" | "DELETE";

export interface ResourceRule {
  apiGroups?: string[];
  apiVersions?: string[];
  operations?: string[];
  resources?: string[];
  resourceNames?: string[];
  scope?: "Cluster" | "Namespaced" | "*";
}

export interface MatchResources {
  resourceRules?: ResourceRule[];
  excludeResourceRules?: ResourceRule[];
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
  matchPolicy?: "Exact" | "Equivalent";
}

export interface Validation {
  expression: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
}

export interface NamedExpression {
  name: string;
  expression: string;
}

export interface PolicySpec {
  failurePolicy?: "Fail" | "Ignore";
  paramKind?: { apiVersion: string; kind: string };
  matchConstraints?: MatchResources;
  matchConditions?: NamedExpression[];
  variables?: NamedExpression[];
  validations?: Validation[];
  auditAnnotations?: { key: string; valueExpression: string }[];
}

export interface Policy extends KubeObject {
  spec: PolicySpec;
}

export interface ParamRef {
  name?: string;
  namespace?: string;
  selector?: LabelSelector;
  parameterNotFoundAction?: string;
}

export interface PolicyBinding extends KubeObject {
  spec: {
    policyName: string;
    paramRef?: ParamRef;
    matchResources?: MatchResources;
    validationActions: string[];
  };
}
