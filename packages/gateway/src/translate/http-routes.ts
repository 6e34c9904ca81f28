// One HTTPRoute -> the proxy's routes. A pure function of the route and of what it refers to, and of nothing else: not of
// Gateways, nor of other routes. So its result can be kept while neither changes, however many routes there are.

import type { HTTPRoute, HTTPRouteRule } from "@gatehouse/gateway-api/http-route";
import type { Retry, Route } from "@gatehouse/proxy/routing-table";
import { sessionPersistenceOf } from "./backend-traffic-policies.ts";
import { parseGatewayDuration } from "./duration.ts";
import { translateFilters } from "./filters.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { everyRequest, translateMatch } from "./matches.ts";
import { type RuleProblem, unsupported } from "./problems.ts";
import {
  actionFor,
  type Behaviour,
  type RuleContext,
  type TranslatedRules,
  translateRules,
  weightedBackends,
} from "./rules.ts";
import { translateSessionPersistence } from "./session-persistence.ts";

/** For the share of a backend that is invalid (HTTPRouteRule.backendRefs). */
const unusable = 500;

/** Never throws: what is wrong with the route comes back as conditions. */
export function translateHttpRoute(route: HTTPRoute, index: ObjectIndex): TranslatedRules {
  return translateRules(route, index, {
    kind: "HTTPRoute",
    traffic: "http",
    everything: everyRequest,
    translateMatch,
    behaviourOf,
  });
}

/** What a rule does with the requests it matches. One that cannot be done as asked answers 500 instead of half. */
function behaviourOf(
  rule: HTTPRouteRule,
  { field, scope, context, index }: RuleContext,
): { behaviour: Behaviour; problem?: RuleProblem } {
  const { backends, resolved, problem: ofBackends } = weightedBackends(rule.backendRefs ?? [], context, unusable);
  const filters = translateFilters(rule.filters ?? [], "rule", context);
  const timeouts = translateTimeouts(rule.timeouts, `${field}.timeouts`);
  const retry = translateRetry(rule.retry, `${field}.retry`);
  const session = rule.sessionPersistence
    ? translateSessionPersistence(rule.sessionPersistence, scope, `${field}.sessionPersistence`)
    : sessionPersistenceOf(resolved, index);
  const broken = (reason: string, problem?: RuleProblem) => ({
    behaviour: { filters: [], action: { type: "respond" as const, status: unusable, reason } },
    ...(problem ? { problem } : {}),
  });
  if ("reason" in filters) return broken(filters.message, filters);
  if (timeouts && "reason" in timeouts) return broken(timeouts.message, timeouts);
  if (retry && "reason" in retry) return broken(retry.message, retry);
  if (session && "reason" in session) return broken(session.message, session);
  if (ofBackends) return broken(ofBackends.message, ofBackends);
  if (filters.refusal !== undefined) return broken(filters.refusal);
  return {
    behaviour: {
      filters: filters.filters,
      action: actionFor(backends, unusable),
      ...(timeouts ? { timeouts } : {}),
      ...(retry ? { retry } : {}),
      ...(session ? { sessionPersistence: session } : {}),
    },
  };
}

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

/** Where the API leaves it to us: once more, 25 ms later (as Envoy does). */
const defaultRetry = { attempts: 1, backoff: 25 };

/** Undefined when nothing is to be tried again. v1.4.0 has no lower bound for attempts. */
function translateRetry(retry: HTTPRouteRule["retry"], field: string): Retry | RuleProblem | undefined {
  if (!retry) return undefined;
  const { codes = [], attempts = defaultRetry.attempts, backoff } = retry;
  const milliseconds = backoff === undefined ? defaultRetry.backoff : parseGatewayDuration(backoff);
  if (milliseconds === undefined) {
    return unsupported(`${field}.backoff "${backoff}" is not a duration such as 100ms or 1s`);
  }
  if (attempts <= 0) return undefined;
  return { statuses: [...codes], attempts, backoff: milliseconds };
}
