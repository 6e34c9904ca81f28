// Questions about identity and permission (authentication.k8s.io/v1, authorization.k8s.io/v1).

import { fieldSelectorRequirement, labelSelectorRequirement } from "./meta.ts";
import { bool, listOf, mapOf, str, strings, struct } from "../schema-helpers.ts";

const userInfo = struct("authentication.v1.UserInfo", "Who somebody is.", {
  extra: mapOf(strings()),
  groups: strings("Groups of the user."),
  uid: str(),
  username: str("Name of the user."),
});

export const tokenReviewSpec = struct("authentication.v1.TokenReviewSpec", "The token in question.", {
  audiences: strings(),
  token: str(),
});

export const tokenReviewStatus = struct("authentication.v1.TokenReviewStatus", "Whose token it is.", {
  audiences: strings(),
  authenticated: bool(),
  error: str(),
  user: userInfo,
});

export const selfSubjectReviewStatus = struct("authentication.v1.SelfSubjectReviewStatus", "Who the caller is.", {
  userInfo: userInfo,
});

const fieldSelectorAttributes = struct("authorization.v1.FieldSelectorAttributes", "Field selector of a request.", {
  rawSelector: str(),
  requirements: listOf(fieldSelectorRequirement),
});

const labelSelectorAttributes = struct("authorization.v1.LabelSelectorAttributes", "Label selector of a request.", {
  rawSelector: str(),
  requirements: listOf(labelSelectorRequirement),
});

const nonResourceAttributes = struct("authorization.v1.NonResourceAttributes", "A URL that is no resource.", {
  path: str(),
  verb: str(),
});

const resourceAttributes = struct("authorization.v1.ResourceAttributes", "A request for a resource.", {
  fieldSelector: fieldSelectorAttributes,
  group: str(),
  labelSelector: labelSelectorAttributes,
  name: str(),
  namespace: str(),
  resource: str("Plural name of the resource."),
  subresource: str(),
  verb: str("The verb, e.g. get."),
  version: str(),
});

export const subjectAccessReviewSpec = struct("authorization.v1.SubjectAccessReviewSpec", "Who wants to do what.", {
  extra: mapOf(strings()),
  groups: strings(),
  nonResourceAttributes: nonResourceAttributes,
  resourceAttributes: resourceAttributes,
  uid: str(),
  user: str(),
});

export const subjectAccessReviewStatus = struct(
  "authorization.v1.SubjectAccessReviewStatus",
  "Whether it is allowed.",
  {
    "allowed!": bool(undefined, { default: false }),
    denied: bool(),
    evaluationError: str(),
    reason: str(),
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
    namespace: str(),
  },
);

const nonResourceRule = struct("authorization.v1.NonResourceRule", "URLs the caller may use.", {
  nonResourceURLs: strings(),
  "verbs!": strings(),
});

const resourceRule = struct("authorization.v1.ResourceRule", "Resources the caller may use.", {
  apiGroups: strings(),
  resourceNames: strings(),
  resources: strings(),
  "verbs!": strings(),
});

export const subjectRulesReviewStatus = struct("authorization.v1.SubjectRulesReviewStatus", "What the caller may do.", {
  evaluationError: str(),
  "incomplete!": bool(undefined, { default: false }),
  "nonResourceRules!": listOf(nonResourceRule, undefined, { default: [] }),
  "resourceRules!": listOf(resourceRule, undefined, { default: [] }),
});
