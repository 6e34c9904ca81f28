// Policies that judge writes by expressions (admissionregistration.k8s.io/v1).

import { condition, labelSelector } from "./meta.ts";
import { field, int64, listBy, listOf, oneOf, str, strings, struct } from "../schema-helpers.ts";

const namedRuleWithOperations = struct(
  "admissionregistration.v1.NamedRuleWithOperations",
  "Requests: what is done to which resources.",
  {
    apiGroups: strings("Groups of the resources; * is all of them."),
    apiVersions: strings("Versions of the resources; * is all of them."),
    operations: strings("CREATE, UPDATE, DELETE, CONNECT; * is all of them."),
    resourceNames: strings("Names of the objects; empty is all of them."),
    resources: strings("Plural names, e.g. pods, pods/status, pods/*, */scale; * is all but subresources."),
    scope: oneOf(["Cluster", "Namespaced", "*"], "Whether objects in namespaces, or outside of them, are meant.", {
      default: "*",
    }),
  },
  { "x-kubernetes-map-type": "atomic" },
);

const matchResources = struct(
  "admissionregistration.v1.MatchResources",
  "Which requests are meant.",
  {
    excludeResourceRules: listOf(namedRuleWithOperations, "Requests that are not meant, whatever the rules say."),
    matchPolicy: oneOf(["Exact", "Equivalent"], "Equivalent also matches other versions of the same resource.", {
      default: "Equivalent",
    }),
    namespaceSelector: field(labelSelector, "Labels of the namespace the object is in.", { default: {} }),
    objectSelector: field(labelSelector, "Labels of the object, as it is or as it was.", { default: {} }),
    resourceRules: listOf(namedRuleWithOperations, "Requests, of which one must match."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

const validation = struct("admissionregistration.v1.Validation", "An expression that must be true.", {
  "expression!": str(
    "CEL over object, oldObject, request, params, namespaceObject and variables; false denies the request.",
  ),
  message: str("What the refused read."),
  messageExpression: str("CEL that makes the message; message is used where it fails."),
  reason: str("Reason of the refusal: Unauthorized, Forbidden, Invalid (default) or RequestEntityTooLarge."),
});

const matchCondition = struct("admissionregistration.v1.MatchCondition", "A condition for the policy to apply.", {
  "expression!": str("CEL; where it is false the policy does not apply."),
  "name!": str("Name of the condition."),
});

const auditAnnotation = struct("admissionregistration.v1.AuditAnnotation", "A note for the audit log.", {
  "key!": str("Key of the note, after the policy's name."),
  "valueExpression!": str("CEL that makes the note, or null for none."),
});

const variable = struct(
  "admissionregistration.v1.Variable",
  "A value by name, worked out when it is first asked for.",
  {
    "expression!": str("CEL that makes the value; it may use the variables above."),
    "name!": str("Name, used as variables.NAME."),
  },
);

const paramKind = struct(
  "admissionregistration.v1.ParamKind",
  "The kind of objects that policies take parameters from.",
  { apiVersion: str("Group and version, e.g. v1."), kind: str("Kind, e.g. ConfigMap.") },
  { "x-kubernetes-map-type": "atomic" },
);

export const validatingAdmissionPolicySpec = struct(
  "admissionregistration.v1.ValidatingAdmissionPolicySpec",
  "Which writes are judged, and how.",
  {
    auditAnnotations: listOf(auditAnnotation, "Notes for the audit log."),
    failurePolicy: oneOf(["Fail", "Ignore"], "What expressions that cannot be evaluated do to the request.", {
      default: "Fail",
    }),
    matchConditions: listBy(["name"], matchCondition, "Conditions that must all hold for the policy to apply."),
    matchConstraints: field(matchResources, "Requests the policy is for."),
    paramKind: field(paramKind, "Kind of the parameters, for policies that have some."),
    validations: listOf(validation, "Expressions that must all be true."),
    variables: listBy(["name"], variable, "Values that the expressions share.", { repeats: true }),
  },
);

const expressionWarning = struct("admissionregistration.v1.ExpressionWarning", "Why an expression may not work.", {
  "fieldRef!": str("Where the expression is."),
  "warning!": str("What the check of its types found."),
});

const typeChecking = struct("admissionregistration.v1.TypeChecking", "Result of checking the expressions' types.", {
  expressionWarnings: listOf(expressionWarning, "One entry for each expression that may not work."),
});

export const validatingAdmissionPolicyStatus = struct(
  "admissionregistration.v1.ValidatingAdmissionPolicyStatus",
  "What is known of a policy.",
  {
    conditions: listBy(["type"], condition, "Conditions of the policy.", { patch: "none" }),
    observedGeneration: int64("Generation that was checked."),
    typeChecking: field(typeChecking, "What the check of the types found."),
  },
);

const paramRef = struct(
  "admissionregistration.v1.ParamRef",
  "Which objects are the parameters.",
  {
    name: str("Name of the object."),
    namespace: str("Its namespace; that of the request when empty."),
    parameterNotFoundAction: str("What happens when there is none: Allow or Deny."),
    selector: field(labelSelector, "Labels of the objects, instead of a name."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const validatingAdmissionPolicyBindingSpec = struct(
  "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec",
  "Puts a policy to use.",
  {
    matchResources: field(matchResources, "Requests, among those of the policy."),
    paramRef: field(paramRef, "The parameters."),
    policyName: str("Name of the policy."),
    validationActions: {
      type: "array",
      description: "What an expression that is false leads to: Deny, Warn, Audit.",
      items: str(),
      "x-kubernetes-list-type": "set",
    },
  },
);
