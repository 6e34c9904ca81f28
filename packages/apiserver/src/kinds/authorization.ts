// The kinds of authorization.k8s.io/v1: questions about permission.

import type { Schema } from "@gatehouse/apimachinery/schema";
import type { ResourceDefinition } from "../resource-definition.ts";
import { builtIn, refusedByReviews } from "./definition-helpers.ts";
import {
  selfSubjectAccessReviewSpec,
  selfSubjectRulesReviewSpec,
  subjectAccessReviewSpec,
  subjectAccessReviewStatus,
  subjectRulesReviewStatus,
} from "./types/review.ts";

function review(
  kind: string,
  namespaced: boolean,
  description: string,
  spec: Schema,
  status: Schema,
): ResourceDefinition {
  return builtIn(
    {
      group: "authorization.k8s.io",
      version: "v1",
      plural: `${kind.toLowerCase()}s`,
      kind,
      namespaced,
    },
    {
      package: "authorization.v1",
      description,
      fields: { "spec!": spec, status },
      verbs: refusedByReviews,
    },
  );
}

export function authorizationDefinitions(): ResourceDefinition[] {
  const access = subjectAccessReviewStatus;
  return [
    review("SubjectAccessReview", false, "Asks whether somebody may do something.", subjectAccessReviewSpec, access),
    review(
      "SelfSubjectAccessReview",
      false,
      "Asks whether the caller may do something.",
      selfSubjectAccessReviewSpec,
      access,
    ),
    review(
      "LocalSubjectAccessReview",
      true,
      "Asks whether somebody may do something in a namespace.",
      subjectAccessReviewSpec,
      access,
    ),
    review(
      "SelfSubjectRulesReview",
      false,
      "Asks what the caller may do in a namespace.",
      selfSubjectRulesReviewSpec,
      subjectRulesReviewStatus,
    ),
  ];
}
