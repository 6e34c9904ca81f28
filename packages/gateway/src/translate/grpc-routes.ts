// One GRPCRoute -> the proxy's routes: pure, as http-routes.ts.

import type { GRPCRoute, GRPCRouteRule } from "@gatehouse/gateway-api/grpc-route";
import { sessionPersistenceOf } from "./backend-traffic-policies.ts";
import type { FilterContext } from "./filter-context.ts";
import { translateFilters } from "./filters.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { translateGrpcMatch } from "./grpc-matches.ts";
import type { RuleProblem } from "./problems.ts";
import { References } from "./references.ts";
import {
  actionFor,
  type Behaviour,
  routesOf,
  type RuleContext,
  summarizeRules,
  type TranslatedRule,
  type TranslatedRules,
  translateMatches,
  weightedBackends,
} from "./rules.ts";
import { translateSessionPersistence } from "./session-persistence.ts";

/** What gRPC clients take for UNAVAILABLE, which is demanded for backends that are invalid (GRPCRouteRule.backendRefs). */
const unusable = 503;

/** Never throws: what is wrong with the route comes back as conditions. */
export function translateGrpcRoute(route: GRPCRoute, index: ObjectIndex): TranslatedRules {
  const rules = route.spec.rules ?? [{}];
  return summarizeRules(rules.map((rule, ruleIndex) => translateRule(route, rule, ruleIndex, index)));
}

function translateRule(
  { metadata: { namespace = "", name } }: GRPCRoute,
  rule: GRPCRouteRule,
  ruleIndex: number,
  index: ObjectIndex,
): TranslatedRule {
  const matches = translateMatches(rule.matches?.length ? rule.matches : [{}], ruleIndex, translateGrpcMatch);
  if ("reason" in matches) return { routes: [], backends: [], permitted: [], references: [], problem: matches };
  const references = new References({ kind: "GRPCRoute", namespace }, ruleIndex, index);
  const prefix = `grpcroute/${namespace}/${name}`;
  const field = `rules[${ruleIndex}]`;
  const context: FilterContext = { field: `${field}.filters`, inRule: "filters", matches, references, traffic: "grpc" };
  const { behaviour, problem } = behaviourOf(rule, { field, scope: `${prefix}/${ruleIndex}`, context, index });
  return {
    routes: routesOf(prefix, ruleIndex, matches, behaviour),
    backends: problem ? [] : references.backends,
    permitted: problem ? [] : references.permitted,
    references: references.problems,
    ...(problem ? { problem } : {}),
  };
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
