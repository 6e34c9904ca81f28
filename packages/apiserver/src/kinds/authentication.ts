// The kinds of authentication.k8s.io/v1: questions about identity.

import type { Schema } from "@gatehouse/apimachinery/schema";
import type { ResourceDefinition } from "../resource-definition.ts";
import { builtIn, refusedByReviews } from "./definition-helpers.ts";
import { selfSubjectReviewStatus, tokenReviewSpec, tokenReviewStatus } from "./types/review.ts";

const packageName = "authentication.v1";

const review = (plural: string, kind: string, description: string, fields: Record<string, Schema>) =>
  builtIn(
    { group: "authentication.k8s.io", version: "v1", plural, kind, namespaced: false },
    { package: packageName, description, fields, verbs: refusedByReviews },
  );

export function authenticationDefinitions(): ResourceDefinition[] {
  return [
    review("tokenreviews", "TokenReview", "Asks whose a token is.", {
      "spec!": tokenReviewSpec,
      status: tokenReviewStatus,
    }),
    review("selfsubjectreviews", "SelfSubjectReview", "Asks who the caller is.", {
      status: selfSubjectReviewStatus,
    }),
  ];
}
