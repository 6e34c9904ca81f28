// XBackendTrafficPolicy (experimental): a budget for retries and session persistence, for whole Services.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { type Clause, experimental } from "./bundle.ts";
import { ageColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { duration, EXPERIMENTAL_GROUP_NAME } from "./names.ts";
import { policyStatus } from "./policy.ts";
import { localObjectReference } from "./references.ts";
import { sessionPersistence } from "./route-filters.ts";
import { type Infer, integer, mapList, object, type Rule, rule } from "./schema-builder.ts";

/** The messages were reworded after v1.4.0. */
function intervalRules(limit: string, forbidden: string): Rule[] {
  const reworded = (verb: string, clause: Clause) =>
    rule(
      `interval ${verb} be greater than one hour${limit}`,
      `!(${forbidden} || duration(self) > duration('1h'))`,
      clause,
    );
  return [reworded("can not", { until: "v1.6.1" }), reworded("cannot", { since: "v1.6.1" })];
}

const budget = object("How many of the requests may be retries.", {
  percent: integer("Share of retries among the requests of an interval, in percent.", {
    minimum: 0,
    maximum: 100,
  }).default(20),
  interval: duration("Time over which requests are counted, 1s to 1h.")
    .rules(...intervalRules(" or less than one second", "duration(self) < duration('1s')"))
    .default("10s"),
});

const minRetryRate = object("Retries that are always allowed, whatever the share.", {
  count: integer("Retries per interval.", { minimum: 1, maximum: 1_000_000 }).optional(),
  interval: duration("Length of the interval, at most 1h.")
    .rules(...intervalRules("", "duration(self) == duration('0s')"))
    .optional(),
});

const spec = object("Which Services, and how traffic to them is treated.", {
  targetRefs: mapList("Services the policy applies to.", ["group", "kind", "name"], localObjectReference, {
    minItems: 1,
    maxItems: 16,
  }),
  retryConstraint: object("Limits on retries.", {
    budget: budget.default({ percent: 20, interval: "10s" }),
    minRetryRate: minRetryRate.default({ count: 10, interval: "1s" }),
  }).optional(),
  sessionPersistence: sessionPersistence.optional(),
});

export const xBackendTrafficPolicy = kindObject("How gateways treat traffic to Services.", {
  spec,
  status: policyStatus.optional(),
});
export interface XBackendTrafficPolicy extends Infer<typeof xBackendTrafficPolicy> {}

export const xBackendTrafficPolicies: ResourceType<XBackendTrafficPolicy> = {
  group: EXPERIMENTAL_GROUP_NAME,
  version: "v1alpha1",
  plural: "xbackendtrafficpolicies",
  kind: "XBackendTrafficPolicy",
  namespaced: true,
};

export const xBackendTrafficPolicyKind: KindDefinition = {
  resource: xBackendTrafficPolicies,
  shortNames: ["xbtrafficpolicy"],
  policy: "Direct",
  in: [experimental],
  versions: [
    {
      name: "v1alpha1",
      schema: xBackendTrafficPolicy,
      storage: [{}],
      columns: [ageColumn],
      subresources: { status: {} },
    },
  ],
};
