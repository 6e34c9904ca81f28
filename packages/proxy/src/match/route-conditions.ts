// The single conditions of a route, compiled: path, method, headers, query. Traffic and explanations ask these same
// functions.

import type { Re2Tester } from "@gatehouse/re2/tester";
import type { Route, ValueMatch } from "../routing-table.ts";
import { compilePattern } from "./pattern.ts";

/** A request as the matcher sees it. */
export interface MatchRequest {
  method: string;
  /** As from `readPath`, or `*`. */
  path: string;
  /** With its `?`, empty when absent. */
  query: string;
  /** Combined value of a header by lower-case name, Latin-1. */
  header(lowerName: string): string | undefined;
}

export interface ValueCondition {
  /** Lower-case for headers. */
  name: string;
  type: "exact" | "regex";
  expected: string;
  /** Null for an exact match, and for an expression that cannot be compiled, which never matches. */
  pattern: Re2Tester | null;
}

/** A route with everything precomputed that matching needs. `target` is what the caller wants to find. */
export interface RouteEntry<T> {
  route: Route;
  target: T;
  headers: ValueCondition[];
  query: ValueCondition[];
  /** For a path expression; null otherwise or when it cannot be compiled. */
  pathPattern: Re2Tester | null;
}

/** Null for an expression that cannot be compiled. */
function patternOrNull(source: string): Re2Tester | null {
  try {
    return compilePattern(source);
  } catch {
    return null;
  }
}

export function compileEntry<T>(route: Route, target: T): RouteEntry<T> {
  return {
    route,
    target,
    headers: compileValues(route.match.headers, (name) => name.toLowerCase()),
    query: compileValues(route.match.query, (name) => name),
    pathPattern: route.match.path.type === "regex" ? patternOrNull(route.match.path.value) : null,
  };
}

/** Most routes have none, and there are thousands of them. */
const UNCONDITIONAL: ValueCondition[] = [];

/** Of several conditions on one name only the first counts (Gateway API, HTTPHeaderMatch and HTTPQueryParamMatch). */
function compileValues(matches: ValueMatch[], canonical: (name: string) => string): ValueCondition[] {
  if (matches.length === 0) return UNCONDITIONAL;
  const conditions = new Map<string, ValueCondition>();
  for (const match of matches) {
    const name = canonical(match.name);
    if (conditions.has(name)) continue;
    const pattern = match.type === "regex" ? patternOrNull(match.value) : null;
    conditions.set(name, { name, type: match.type, expected: match.value, pattern });
  }
  return [...conditions.values()];
}

export function valueMatches(condition: ValueCondition, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  return condition.type === "exact" ? actual === condition.expected : condition.pattern?.test(actual) === true;
}

export function methodMatches(route: Route, method: string): boolean {
  return route.match.method === undefined || route.match.method === method;
}

/** Whether everything but the path fits. */
export function conditionsMatch(entry: RouteEntry<unknown>, request: MatchRequest): boolean {
  if (!methodMatches(entry.route, request.method)) return false;
  for (const condition of entry.headers) {
    if (!valueMatches(condition, headerValue(request, condition.name))) return false;
  }
  for (const condition of entry.query) {
    if (!valueMatches(condition, queryValue(request.query, condition.name))) return false;
  }
  return true;
}

/** A header's value as the text that its bytes are in UTF-8, which is what expressions and people mean. */
export function headerValue(request: MatchRequest, lowerName: string): string | undefined {
  const value = request.header(lowerName);
  if (value === undefined || !/[\u0080-\u00ff]/.test(value)) return value;
  return Buffer.from(value, "latin1").toString();
}

/** First value of a query parameter, decoded as a form is; undefined when the parameter is absent. */
export function queryValue(query: string, name: string): string | undefined {
  for (const pair of query.slice(1).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    if (decodeForm(equals < 0 ? pair : pair.slice(0, equals)) !== name) continue;
    return equals < 0 ? "" : decodeForm(pair.slice(equals + 1));
  }
  return undefined;
}

function decodeForm(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** A prefix without its trailing slash: `/v1/` means `/v1`, and the root is empty. */
export function barePrefix(prefix: string): string {
  return prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
}
