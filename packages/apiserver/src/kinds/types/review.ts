// Questions about identity and permission (authentication.k8s.io/v1, authorization.k8s.io/v1).

import { fieldSelectorRequirement, labelSelectorRequirement } from "./meta.ts";
import { bool, int64, listOf, mapOf, str, strings, struct, time } from "../schema-helpers.ts";

const userInfo = struct("authentication.v1.UserInfo", "Who somebody is.", {
  extra: mapOf(strings(undefined)),
  groups: strings("Groups of the user."),
  uid: str(undefined),
  username: str("Name of the user."),
});

export const tokenReviewSpec = struct(
  "authentication.v1.TokenReviewSpec",
  "The token in question.",
  {
    audiences: strings(undefined),
    token: str(undefined),
  },
);

export const tokenReviewStatus = struct(
  "authentication.v1.TokenReviewStatus",
  "Whose token it is.",
  {
    audiences: strings(undefined),
    authenticated: bool(undefined),
    error: str(undefined),
    user: userInfo,
  },
);

export const selfSubjectReviewStatus = struct(
  "authentication.v1.SelfSubjectReviewStatus",
  "Who the caller is.",
  {
    userInfo: userInfo,
  },
);

const boundObjectReference = struct(
  "authentication.v1.BoundObjectReference",
  "Object a token lives as long as.",
  {
    apiVersion: str(undefined),
    kind: str(undefined),
    name: str(undefined),
    uid: str(undefined),
  },
);

export const tokenRequestSpec = struct(
  "authentication.v1.TokenRequestSpec",
  "The token asked for.",
  {
    "audiences!": strings("Whom it is for.", { default: [] }),
    boundObjectRef: boundObjectReference,
    expirationSeconds: int64("Seconds it is valid.", { default: 3600 }),
  },
);

export const tokenRequestStatus = struct(
  "authentication.v1.TokenRequestStatus",
  "The token issued.",
  {
    "expirationTimestamp!": time("When it ends."),
    "token!": str("The bearer token."),
  },
);

const fieldSelectorAttributes = struct(
  "authorization.v1.FieldSelectorAttributes",
  "Field selector of a request.",
  {
    rawSelector: str(undefined),
    requirements: listOf(fieldSelectorRequirement),
  },
);

const labelSelectorAttributes = struct(
  "authorization.v1.LabelSelectorAttributes",
  "Label selector of a request.",
  {
    rawSelector: str(undefined),
    requirements: listOf(labelSelectorRequirement),
  },
);

const nonResourceAttributes = struct(
  "authorization.v1.NonResourceAttributes",
  "A URL that is no resource.",
  {
    path: str(undefined),
    verb: str(undefined),
  },
);

const resourceAttributes = struct(
  "authorization.v1.ResourceAttributes",
  "A request for a resource.",
  {
    fieldSelector: fieldSelectorAttributes,
    group: str(undefined),
    labelSelector: labelSelectorAttributes,
    name: str(undefined),
    namespace: str(undefined),
    resource: str("Plural name of the resource."),
    subresource: str(undefined),
    verb: str("The verb, e.g. get."),
    version: str(undefined),
  },
);

export const subjectAccessReviewSpec = struct(
  "authorization.v1.SubjectAccessReviewSpec",
  "Who wants to do what.",
  {
    extra: mapOf(strings(undefined)),
    groups: strings(undefined),
    nonResourceAttributes: nonResourceAttributes,
    resourceAttributes: resourceAttributes,
    uid: str(undefined),
    user: str(undefined),
  },
);

export const subjectAccessReviewStatus = struct(
  "authorization.v1.SubjectAccessReviewStatus",
  "Whether it is allowed.",
  {
    "allowed!": bool(undefined, { default: false }),
    denied: bool(undefined),
    evaluationError: str(undefined),
    reason: str(undefined),
  },
);

export const selfSubjectAccessReviewSpec = struct(
  "authorization.v1.SelfSubjectAccessReviewSpec",
  "What the caller wants to do.",
  {
    nonResourceAttributes: nonResourceAttributes,
    resourceAttributes: resourceAttributes,
  },
);

export const selfSubjectRulesReviewSpec = struct(
  "authorization.v1.SelfSubjectRulesReviewSpec",
  "The namespace in question.",
  {
    namespace: str(undefined),
  },
);

const nonResourceRule = struct("authorization.v1.NonResourceRule", "URLs the caller may use.", {
  nonResourceURLs: strings(undefined),
  "verbs!": strings(undefined),
});

const resourceRule = struct("authorization.v1.ResourceRule", "Resources the caller may use.", {
  apiGroups: strings(undefined),
  resourceNames: strings(undefined),
  resources: strings(undefined),
  "verbs!": strings(undefined),
});

export const subjectRulesReviewStatus = struct(
  "authorization.v1.SubjectRulesReviewStatus",
  "What the caller may do.",
  {
    evaluationError: str(undefined),
    "incomplete!": bool(undefined, { default: false }),
    "nonResourceRules!": listOf(nonResourceRule, undefined, { default: [] }),
    "resourceRules!": listOf(resourceRule, undefined, { default: [] }),
  },
);
