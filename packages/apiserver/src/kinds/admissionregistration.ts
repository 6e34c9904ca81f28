// The kinds of admissionregistration.k8s.io/v1 that are served: policies in CEL. Webhooks are not called here, and not served.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { admissionPolicyStrategy, admissionPolicyBindingStrategy } from "../admission/strategies.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import {
  validatingAdmissionPolicyBindingSpec,
  validatingAdmissionPolicySpec,
  validatingAdmissionPolicyStatus,
} from "./types/admission-policy.ts";

interface Policy extends KubeObject {
  spec?: { validations?: unknown[]; paramKind?: { apiVersion?: string; kind?: string } };
}

interface Binding extends KubeObject {
  spec?: { policyName?: string; paramRef?: { name?: string; namespace?: string; selector?: object } };
}

const admission = (plural: string, kind: string) => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced: false,
});

function paramKindText({ spec }: Policy): string {
  const { paramKind } = spec ?? {};
  return paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : "<unset>";
}

function paramRefText({ spec }: Binding): string {
  const { paramRef } = spec ?? {};
  if (!paramRef) return "<unset>";
  if (!paramRef.name) return paramRef.selector ? JSON.stringify(paramRef.selector) : "";
  return paramRef.namespace ? `${paramRef.namespace}/${paramRef.name}` : paramRef.name;
}

export function admissionregistrationDefinitions(): ResourceDefinition[] {
  return [
    builtIn(admission("validatingadmissionpolicies", "ValidatingAdmissionPolicy"), {
      package: "admissionregistration.v1",
      description: "Expressions that writes must satisfy.",
      fields: { spec: validatingAdmissionPolicySpec, status: validatingAdmissionPolicyStatus },
      categories: ["api-extensions"],
      columns: [
        nameColumn,
        column<Policy>(
          "Validations",
          "Number of expressions.",
          ({ spec }) => spec?.validations?.length ?? 0,
          "integer",
        ),
        column<Policy>("ParamKind", "Kind of the parameters.", paramKindText),
        ageColumn,
      ],
      subresources: { status: true },
      strategy: admissionPolicyStrategy,
    }),
    builtIn(admission("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"), {
      package: "admissionregistration.v1",
      description: "Puts an admission policy to use.",
      fields: { spec: validatingAdmissionPolicyBindingSpec },
      categories: ["api-extensions"],
      columns: [
        nameColumn,
        column<Binding>("PolicyName", "The policy.", ({ spec }) => spec?.policyName ?? ""),
        column<Binding>("ParamRef", "The parameters.", paramRefText),
        ageColumn,
      ],
      strategy: admissionPolicyBindingStrategy,
    }),
  ];
}
