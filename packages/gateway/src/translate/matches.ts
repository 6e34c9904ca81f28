// HTTPRoute matches -> the proxy's matches, with the API's defaults filled in.

import { compilePattern } from "@gatehouse/proxy/match/pattern";
import type { RouteMatch, ValueMatch } from "@gatehouse/proxy/routing-table";
import type { HTTPRouteMatch } from "@gatehouse/gateway-api/http-route";
import { type RuleProblem, unsupported } from "./problems.ts";

type PathMatch = RouteMatch["path"];

const pathTypes = new Map<string, PathMatch["type"]>([
  ["Exact", "exact"],
  ["PathPrefix", "prefix"],
  ["RegularExpression", "regex"],
]);
const valueTypes = new Map<string, ValueMatch["type"]>([
  ["Exact", "exact"],
  ["RegularExpression", "regex"],
]);

const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/** What a rule without matches matches: every request. */
export const everyRequest: HTTPRouteMatch = { path: { type: "PathPrefix", value: "/" } };

/** `field` is the match's own path in the route, e.g. `rules[0].matches[1]`. */
export function translateMatch(match: HTTPRouteMatch, field: string): RouteMatch | RuleProblem {
  const type = match.path?.type ?? "PathPrefix";
  const pathType = pathTypes.get(type);
  if (!pathType) return unsupported(`${field}.path.type "${type}" is not supported: use ${supported(pathTypes)}`);
  const value = match.path?.value ?? "/";
  const pathProblem = pathType === "regex" ? patternProblem(value, `${field}.path.value`) : undefined;
  if (pathProblem) return pathProblem;
  if (match.method !== undefined && !methods.includes(match.method)) {
    return unsupported(`${field}.method "${match.method}" is not supported: use one of ${methods.join(", ")}`);
  }
  const headers = translateHeaders(match.headers ?? [], `${field}.headers`);
  if ("reason" in headers) return headers;
  const query = translateValues(match.queryParams ?? [], `${field}.queryParams`, (name) => name);
  if ("reason" in query) return query;
  return {
    path: { type: pathType, value },
    ...(match.method ? { method: match.method } : {}),
    headers,
    query,
  };
}

/** Names of headers are the same in any case; that of `:authority`, `:path` and the like cannot be given. */
export function translateHeaders(
  headers: readonly { type?: string; name: string; value: string }[],
  field: string,
): ValueMatch[] | RuleProblem {
  return translateValues(headers, field, (name) => name.toLowerCase());
}

/** Of the thousands of routes without any. */
const none: ValueMatch[] = [];

/** Of several entries for one name only the first counts (HTTPHeaderMatch.name, HTTPQueryParamMatch.name). */
function translateValues(
  entries: readonly { type?: string; name: string; value: string }[],
  field: string,
  identity: (name: string) => string,
): ValueMatch[] | RuleProblem {
  if (entries.length === 0) return none;
  const matches = new Map<string, ValueMatch>();
  for (const [index, entry] of entries.entries()) {
    const type = valueTypes.get(entry.type ?? "Exact");
    if (!type) {
      return unsupported(`${field}[${index}].type "${entry.type}" is not supported: use ${supported(valueTypes)}`);
    }
    const problem = type === "regex" ? patternProblem(entry.value, `${field}[${index}].value`) : undefined;
    if (problem) return problem;
    const name = identity(entry.name);
    if (!matches.has(name)) matches.set(name, { name, type, value: entry.value });
  }
  return [...matches.values()];
}

/** What other engines have and RE2 has not, in words that people understand. */
const backtracking = /\(\?<?[=!]|(?:^|[^\\])(?:\\\\)*\\(?:[1-9]|k<)/;

/** Why the expression cannot be used, if so. */
export function patternProblem(pattern: string, field: string): RuleProblem | undefined {
  if (backtracking.test(pattern)) {
    return unsupported(`${field} has look-around or a back-reference, which are not supported: leave them out`);
  }
  try {
    compilePattern(pattern);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return unsupported(`${field} is not a regular expression that can be used: ${why}`);
  }
}

const supported = (types: ReadonlyMap<string, unknown>): string => [...types.keys()].join(" or ");
