// What the rules of HTTPRoutes and GRPCRoutes have in common: backends by weight, one proxy route per match, and what the
// rules come to as a route.

import type { BackendRef } from "@gatehouse/gateway-api/references";
import type { HTTPRouteFilter } from "@gatehouse/gateway-api/http-filters";
import type { Route, RouteAction, RouteMatch, WeightedBackend } from "@gatehouse/proxy/routing-table";
import type { Backend } from "./backends.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { FilterContext } from "./filter-context.ts";
import { translateFilters } from "./filters.ts";
import { flat } from "./flat-text.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { matchOrder } from "./order.ts";
import type { ReferenceProblem, RuleProblem } from "./problems.ts";
import { References, resolvedRefs } from "./references.ts";
import { sized } from "./sized-list.ts";

/** What a route does with the requests it matches. */
export type Behaviour = Pick<Route, "action" | "filters" | "timeouts" | "retry" | "sessionPersistence">;

/** Where a rule stands. */
export interface RuleContext {
  /** E.g. `rules[0]`. */
  field: string;
  /** Names the rule among those of all routes. */
  scope: string;
  /** For the rule's own filters. */
  context: FilterContext;
  index: ObjectIndex;
}

interface TranslatedRule {
  routes: Route[];
  backends: readonly Backend[];
  /** As of `References`. */
  permitted: readonly string[];
  references: readonly ReferenceProblem[];
  problem?: RuleProblem;
}

/** A route's rules together. */
export interface TranslatedRules {
  /** `order` counts within the route (see order.ts). Empty when no rule is usable. */
  routes: Route[];
  backends: Backend[];
  /** Keys (`backendKey`) of all that the rules in effect may refer to. */
  permitted: string[];
  resolvedRefs: DesiredCondition;
  /** Accepted: False, whatever the parent says. */
  rejected?: DesiredCondition;
  partiallyInvalid?: DesiredCondition;
}

function summarizeRules(rules: readonly TranslatedRule[]): TranslatedRules {
  const problems = rules.flatMap((rule) => rule.problem ?? []);
  const allInvalid = problems.length > 0 && problems.length === rules.length;
  return {
    routes: allInvalid ? [] : sized(rules.flatMap((rule) => rule.routes)),
    backends: sized(rules.flatMap((rule) => rule.backends)),
    permitted: [...new Set(rules.flatMap((rule) => rule.permitted))],
    resolvedRefs: resolvedRefs(rules.flatMap((rule) => rule.references)),
    ...(allInvalid ? { rejected: rejection(problems) } : {}),
    ...(problems.length > 0 && !allInvalid ? { partiallyInvalid: droppedRules(rules) } : {}),
  };
}

export function rejection(problems: readonly RuleProblem[]): DesiredCondition {
  const incompatible = problems.every((each) => each.reason === "IncompatibleFilters");
  const reason = incompatible ? "IncompatibleFilters" : "UnsupportedValue";
  return fails("Accepted", reason, problems.map(({ message }) => message).join("; "));
}

/** The message's beginning is prescribed (RouteConditionPartiallyInvalid). */
function droppedRules(rules: readonly TranslatedRule[]): DesiredCondition {
  const dropped = rules.flatMap(({ problem, routes }, ruleIndex) => {
    const [route] = routes;
    const status = route?.action.type === "respond" ? route.action.status : 500;
    const answer = route ? ` (its requests are answered with ${status})` : "";
    return problem ? [`${ruleIndex}: ${problem.message}${answer}`] : [];
  });
  return holds("PartiallyInvalid", "UnsupportedValue", `Dropped Rule ${dropped.join("; ")}`);
}

/** How the rules of one kind of route are read. */
interface RuleReader<Rule, Match> {
  kind: "HTTPRoute" | "GRPCRoute";
  traffic: FilterContext["traffic"];
  /** The match of a rule that has none. */
  everything: Match;
  translateMatch: (match: Match, field: string) => RouteMatch | RuleProblem;
  behaviourOf: (rule: Rule, context: RuleContext) => { behaviour: Behaviour; problem?: RuleProblem };
}

/** All rules of a route. Never throws: what is wrong with it comes back as conditions. */
export function translateRules<Match, Rule extends { matches?: Match[] }>(
  { metadata, spec }: { metadata: { namespace?: string; name: string }; spec: { rules?: Rule[] } },
  index: ObjectIndex,
  reader: RuleReader<Rule | { matches?: Match[] }, Match>,
): TranslatedRules {
  const rules = spec.rules ?? [{}];
  return summarizeRules(rules.map((rule, ruleIndex) => translateRule(metadata, rule, ruleIndex, index, reader)));
}

function translateRule<Match, Rule extends { matches?: Match[] }>(
  { namespace = "", name }: { namespace?: string; name: string },
  rule: Rule,
  ruleIndex: number,
  index: ObjectIndex,
  { kind, traffic, everything, translateMatch, behaviourOf }: RuleReader<Rule, Match>,
): TranslatedRule {
  const matches = translateMatches(rule.matches?.length ? rule.matches : [everything], ruleIndex, translateMatch);
  if ("reason" in matches) return { routes: [], backends: [], permitted: [], references: [], problem: matches };
  const references = new References({ kind, namespace }, ruleIndex, index);
  const prefix = flat(kind.toLowerCase(), namespace, name);
  const field = `rules[${ruleIndex}]`;
  const context: FilterContext = { field: `${field}.filters`, inRule: "filters", matches, references, traffic };
  const { behaviour, problem } = behaviourOf(rule, { field, scope: `${prefix}/${ruleIndex}`, context, index });
  return {
    routes: routesOf(prefix, ruleIndex, matches, behaviour),
    backends: problem ? [] : references.backends,
    permitted: problem ? [] : references.permitted,
    references: references.problems,
    ...(problem ? { problem } : {}),
  };
}

/** The proxy's matches of a rule; the first that cannot be done makes all of it unusable. */
function translateMatches<M>(
  matches: readonly M[],
  ruleIndex: number,
  translate: (match: M, field: string) => RouteMatch | RuleProblem,
): RouteMatch[] | RuleProblem {
  const translated: RouteMatch[] = [];
  for (const [matchIndex, match] of matches.entries()) {
    const result = translate(match, `rules[${ruleIndex}].matches[${matchIndex}]`);
    if ("reason" in result) return result;
    translated.push(result);
  }
  return translated;
}

/** One route for each match; `prefix` is the id of the object, e.g. `httproute/demo/whoami-path`. */
function routesOf(prefix: string, ruleIndex: number, matches: readonly RouteMatch[], behaviour: Behaviour): Route[] {
  return matches.map((match, matchIndex) => ({
    id: flat(prefix, "rule", ruleIndex, "match", matchIndex),
    match,
    order: matchOrder(ruleIndex, matchIndex),
    ...behaviour,
  }));
}

export interface WeightedRef extends BackendRef {
  filters?: HTTPRouteFilter[];
}

/** `context` is that of the rule's own filters; `unusable` answers for backends that cannot be used. */
export function weightedBackends(
  refs: readonly WeightedRef[],
  context: FilterContext,
  unusable: number,
): { backends: WeightedBackend[]; resolved: Backend[]; problem?: RuleProblem } {
  const { references, traffic } = context;
  const resolved: Backend[] = [];
  const backends: WeightedBackend[] = [];
  let problem: RuleProblem | undefined;
  for (const [position, ref] of refs.entries()) {
    const weight = ref.weight ?? 1;
    const inRule = `backendRefs[${position}]`;
    const place = { field: `${context.field.replace(/filters$/, inRule)}.filters`, inRule: `${inRule}.filters` };
    const filters = translateFilters(ref.filters ?? [], "backend", { ...context, ...place });
    if ("reason" in filters) problem ??= filters;
    const backend = references.resolve(ref, inRule, traffic);
    if ("reason" in backend) backends.push({ status: unusable, reason: backend.message, weight, filters: [] });
    else {
      resolved.push(backend);
      backends.push({ service: backend.id, weight, filters: "reason" in filters ? [] : filters.filters });
    }
  }
  return { backends, resolved, ...(problem ? { problem } : {}) };
}

/** Without a backend to choose there is nothing but an error to answer with (HTTPRouteRule.backendRefs). */
export function actionFor(backends: readonly WeightedBackend[], unusable: number): RouteAction {
  const respond = (reason: string): RouteAction => ({ type: "respond", status: unusable, reason });
  if (backends.length === 0) return respond("the rule has no backendRefs");
  if (backends.every((backend) => backend.weight === 0)) return respond("every backendRef of the rule has weight 0");
  return { type: "forward", backends: [...backends] };
}
