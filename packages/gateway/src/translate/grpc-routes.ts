// One GRPCRoute -> the proxy's routes: pure, as http-routes.ts.

import type { GRPCRoute, GRPCRouteRule } from "@gatehouse/gateway-api/grpc-route";
import { sessionPersistenceOf } from "./backend-traffic-policies.ts";
import { translateFilters } from "./filters.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { translateGrpcMatch } from "./grpc-matches.ts";
import type { RuleProblem } from "./problems.ts";
import {
  actionFor,
  type Behaviour,
  type RuleContext,
  type TranslatedRules,
  translateRules,
  weightedBackends,
} from "./rules.ts";
import { translateSessionPersistence } from "./session-persistence.ts";

/** What gRPC clients take for UNAVAILABLE, which is demanded for backends that are invalid (GRPCRouteRule.backendRefs). */
const unusable = 503;

/** Never throws: what is wrong with the route comes back as conditions. */
export function translateGrpcRoute(route: GRPCRoute, index: ObjectIndex): TranslatedRules {
  return translateRules(route, index, {
    kind: "GRPCRoute",
    traffic: "grpc",
    everything: {},
    translateMatch: translateGrpcMatch,
    behaviourOf,
  });
}

function behaviourOf(
  rule: GRPCRouteRule,
  { field, scope, context, index }: RuleContext,
): { behaviour: Behaviour; problem?: RuleProblem } {
  const { backends, resolved, problem: ofBackends } = weightedBackends(rule.backendRefs ?? [], context, unusable);
  const filters = translateFilters(rule.filters ?? [], "rule", context);
  const session = rule.sessionPersistence
    ? translateSessionPersistence(rule.sessionPersistence, scope, `${field}.sessionPersistence`)
    : sessionPersistenceOf(resolved, index);
  const problem =
    "reason" in filters ? filters : session && "reason" in session ? session : ofBackends ? ofBackends : undefined;
  if (problem || "reason" in filters || (session && "reason" in session)) {
    const action = { type: "respond" as const, status: unusable, reason: problem?.message ?? "" };
    return { behaviour: { filters: [], action }, ...(problem ? { problem } : {}) };
  }
  return {
    behaviour: {
      filters: filters.filters,
      action: actionFor(backends, unusable),
      ...(session ? { sessionPersistence: session } : {}),
    },
  };
}
