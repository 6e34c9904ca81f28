// Write rules of the kinds of admissionregistration.k8s.io.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { WriteStrategy } from "../resource-definition.ts";
import { policyRules } from "./admit.ts";
import type { Policy, PolicyBinding, ResourceRule } from "./policy-types.ts";

/** What no other kind may say of requests has no effect here. */
function connectWarnings(rules: ResourceRule[] | undefined, path: string): string[] {
  const asked = (rules ?? []).some(({ operations }) => operations?.some((each) => each === "CONNECT"));
  return asked ? [`${path}: CONNECT requests (exec, attach, port-forward, proxy) are not judged by policies here`] : [];
}

/** There is no audit log. */
function auditWarnings({ spec }: PolicyBinding): string[] {
  return spec.validationActions.includes("Audit")
    ? ["spec.validationActions: Audit has no effect: no audit log is kept here"]
    : [];
}

export const admissionPolicyStrategy: WriteStrategy = {
  validate: (object, old) => policyRules().validatePolicy(object as Policy, old as Policy | undefined),
  warnings: (object: KubeObject) => {
    const { matchConstraints, auditAnnotations } = (object as Policy).spec;
    return [
      ...connectWarnings(matchConstraints?.resourceRules, "spec.matchConstraints.resourceRules"),
      ...(auditAnnotations?.length ? ["spec.auditAnnotations: no audit log is kept here: they are only checked"] : []),
    ];
  },
};

export const admissionPolicyBindingStrategy: WriteStrategy = {
  validate: (object) => policyRules().validateBinding(object as PolicyBinding),
  warnings: (object) => auditWarnings(object as PolicyBinding),
};
