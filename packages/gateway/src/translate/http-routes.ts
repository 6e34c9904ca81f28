// One HTTPRoute -> the proxy's routes. A pure function of the route and of what it refers to, and of nothing else: not of
// Gateways, nor of other routes. So its result can be kept while neither changes, however many routes there are.

import type { Filter, Route, RouteAction, Service, WeightedBackend } from "@gatehouse/proxy/routing-table";
import type { HTTPBackendRef, HTTPRoute, HTTPRouteRule } from "@gatehouse/gateway-api/http-route";
import { resolveBackend } from "./backends.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { parseGatewayDuration } from "./duration.ts";
import { translateBackendFilters, translateRuleFilters } from "./filters.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { everyRequest, translateMatch } from "./matches.ts";
import { matchOrder } from "./order.ts";
import { type ReferenceProblem, type RuleProblem, unsupported } from "./problems.ts";

export interface TranslatedRoute {
  route: HTTPRoute;
  /** `order` counts within the route (see order.ts). Empty when no rule is usable. */
  routes: Route[];
  services: Service[];
  resolvedRefs: DesiredCondition;
  /** Accepted: False, whatever the parent says. */
  rejected?: DesiredCondition;
  partiallyInvalid?: DesiredCondition;
}

interface TranslatedRule {
  routes: Route[];
  services: Service[];
  references: ReferenceProblem[];
  problem?: RuleProblem;
}

/** Never throws: what is wrong with the route comes back as conditions. */
export function translateHttpRoute(route: HTTPRoute, index: ObjectIndex): TranslatedRoute {
  const rules = (route.spec.rules ?? [{}]).map((rule, ruleIndex) => translateRule(route, rule, ruleIndex, index));
  const problems = rules.flatMap((rule) => rule.problem ?? []);
  const allInvalid = problems.length > 0 && problems.length === rules.length;
  return {
    route,
    routes: allInvalid ? [] : rules.flatMap((rule) => rule.routes),
    services: rules.flatMap((rule) => rule.services),
    resolvedRefs: resolvedRefs(rules.flatMap((rule) => rule.references)),
    ...(allInvalid ? { rejected: rejection(problems) } : {}),
    ...(problems.length > 0 && !allInvalid ? { partiallyInvalid: droppedRules(rules) } : {}),
  };
}

function resolvedRefs(problems: readonly ReferenceProblem[]): DesiredCondition {
  const [first] = problems;
  if (!first) return holds("ResolvedRefs", "ResolvedRefs", "All references are resolved");
  return fails("ResolvedRefs", first.reason, problems.map(({ message }) => message).join("; "));
}

function rejection(problems: readonly RuleProblem[]): DesiredCondition {
  const reason = problems.every((each) => each.reason === "IncompatibleFilters")
    ? "IncompatibleFilters"
    : "UnsupportedValue";
  return fails("Accepted", reason, problems.map(({ message }) => message).join("; "));
}

/** The message's beginning is prescribed (RouteConditionPartiallyInvalid). */
function droppedRules(rules: readonly TranslatedRule[]): DesiredCondition {
  const dropped = rules.flatMap(({ problem, routes }, ruleIndex) => {
    const answer = routes.length > 0 ? " (its requests are answered with 500)" : "";
    return problem ? [`${ruleIndex}: ${problem.message}${answer}`] : [];
  });
  return holds("PartiallyInvalid", "UnsupportedValue", `Dropped Rule ${dropped.join("; ")}`);
}

function translateRule(route: HTTPRoute, rule: HTTPRouteRule, ruleIndex: number, index: ObjectIndex): TranslatedRule {
  const field = `rules[${ruleIndex}]`;
  const matches = [];
  for (const [matchIndex, match] of (rule.matches?.length ? rule.matches : [everyRequest]).entries()) {
    const translated = translateMatch(match, `${field}.matches[${matchIndex}]`);
    if ("reason" in translated) return { routes: [], services: [], references: [], problem: translated };
    matches.push({ matchIndex, match: translated });
  }
  const { action, services, references, filters, timeouts, problem } = translateBehaviour(
    route,
    rule,
    ruleIndex,
    matches.map(({ match }) => match),
    index,
  );
  const { namespace, name } = route.metadata;
  const routes = matches.map(({ matchIndex, match }): Route => ({
    id: `httproute/${namespace}/${name}/rule/${ruleIndex}/match/${matchIndex}`,
    match,
    order: matchOrder(ruleIndex, matchIndex),
    filters,
    action,
    ...(timeouts ? { timeouts } : {}),
  }));
  return { routes, services, references, ...(problem ? { problem } : {}) };
}

type Behaviour = Pick<TranslatedRule, "services" | "references" | "problem"> &
  Pick<Route, "action" | "filters" | "timeouts">;

/** What a rule does with the requests it matches. One that cannot be done as asked answers 500 instead of half. */
function translateBehaviour(
  route: HTTPRoute,
  rule: HTTPRouteRule,
  ruleIndex: number,
  matches: Parameters<typeof translateRuleFilters>[2],
  index: ObjectIndex,
): Behaviour {
  const field = `rules[${ruleIndex}]`;
  const backends = translateBackends(route, rule.backendRefs ?? [], ruleIndex, index);
  const filters = translateRuleFilters(rule.filters ?? [], `${field}.filters`, matches);
  const timeouts = translateTimeouts(rule.timeouts, `${field}.timeouts`);
  const problem =
    unimplementedField(rule, field) ??
    ("reason" in filters ? filters : undefined) ??
    (timeouts && "reason" in timeouts ? timeouts : undefined) ??
    backends.problem;
  const { services, references } = backends;
  if (problem || "reason" in filters || (timeouts && "reason" in timeouts)) {
    const action: RouteAction = { type: "respond", status: 500, reason: problem?.message ?? "" };
    return { action, filters: [], services: [], references, ...(problem ? { problem } : {}) };
  }
  return { action: actionOf(backends.backends), filters, services, references, ...(timeouts ? { timeouts } : {}) };
}

const unimplementedFields = ["retry", "sessionPersistence"] as const;

function unimplementedField(rule: HTTPRouteRule, field: string): RuleProblem | undefined {
  const found = unimplementedFields.find((name) => rule[name] !== undefined);
  return found && unsupported(`${field}.${found} is not supported: remove it`);
}

function actionOf(backends: readonly WeightedBackend[]): RouteAction {
  if (backends.length === 0) return { type: "respond", status: 500, reason: "the rule has no backendRefs" };
  if (backends.every((backend) => backend.weight === 0)) {
    return { type: "respond", status: 500, reason: "every backendRef of the rule has weight 0" };
  }
  return { type: "forward", backends: [...backends] };
}

function translateBackends(
  route: HTTPRoute,
  refs: readonly HTTPBackendRef[],
  ruleIndex: number,
  index: ObjectIndex,
): { backends: WeightedBackend[]; services: Service[]; references: ReferenceProblem[]; problem?: RuleProblem } {
  const backends: WeightedBackend[] = [];
  const services: Service[] = [];
  const references: ReferenceProblem[] = [];
  let problem: RuleProblem | undefined;
  for (const [backendIndex, ref] of refs.entries()) {
    const weight = ref.weight ?? 1;
    const field = `rules[${ruleIndex}].backendRefs[${backendIndex}].filters`;
    const filters = translateBackendFilters(ref.filters ?? [], field);
    if ("reason" in filters) problem ??= filters;
    const namespace = route.metadata.namespace ?? "";
    const service = resolveBackend(ref, { kind: "HTTPRoute", namespace, ruleIndex, backendIndex }, index);
    if ("reason" in service) {
      references.push(service);
      backends.push({ status: 500, reason: service.message, weight, filters: [] });
    } else {
      services.push(service);
      backends.push({ service: service.id, weight, filters: usable(filters) });
    }
  }
  return { backends, services, references, ...(problem ? { problem } : {}) };
}

const usable = (filters: Filter[] | RuleProblem): Filter[] => ("reason" in filters ? [] : filters);

function translateTimeouts(timeouts: HTTPRouteRule["timeouts"], field: string): Route["timeouts"] | RuleProblem {
  if (!timeouts) return undefined;
  const result: NonNullable<Route["timeouts"]> = {};
  for (const name of ["request", "backendRequest"] as const) {
    const text = timeouts[name];
    if (text === undefined) continue;
    const milliseconds = parseGatewayDuration(text);
    if (milliseconds === undefined)
      return unsupported(`${field}.${name} "${text}" is not a duration such as 10s or 1m30s`);
    result[name] = milliseconds;
  }
  const { request, backendRequest } = result;
  if (request && backendRequest && backendRequest > request) {
    return unsupported(`${field}.backendRequest is longer than ${field}.request: shorten it`);
  }
  return result;
}
