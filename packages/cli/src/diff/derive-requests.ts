// Requests that the routes themselves suggest: one that hits each match, one just beside it, and one for an unknown host.
// Only such as change nothing (RFC 9110 section 9.2.1), unless the user allows others. Pure.

import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { HTTPRoute, HTTPRouteMatch, HTTPRouteRule } from "@gatehouse/gateway-api/http-route";
import { attachedListeners } from "./attached-listeners.ts";
import { type PlannedRequest, requestKey, type Target } from "./planned-request.ts";
import type { Skipped } from "./report.ts";

export interface RouteSource {
  routes: readonly HTTPRoute[];
  gateways: readonly Gateway[];
}

export interface DerivedRequests {
  requests: PlannedRequest[];
  skipped: Skipped[];
}

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);
/** How unlikely it may be that a backend with the smallest share is never met by chance. */
const missedBackend = 0.001;
const mostTimes = 200;
// RFC 6761: `.invalid` never exists, so no route can mean it.
const unknownHost = "no-such-host.gatehouse.invalid";
const anyHost = "any-host.gatehouse.invalid";

/** The requests of both clusters' routes, each once. A request that only one cluster's routes suggest goes to both. */
export function deriveRequests(a: RouteSource, b: RouteSource, options: { unsafeMethods: boolean }): DerivedRequests {
  const requests = new Map<string, PlannedRequest>();
  const skipped = new Map<string, Skipped>();
  for (const [side, source] of [["a", a] as const, ["b", b] as const]) {
    for (const { planned, target } of suggestions(source, options, skipped)) {
      const known = requests.get(requestKey(planned));
      const request = known ? merged(known, planned) : planned;
      if (target && !request.targets[side]) request.targets[side] = target;
      requests.set(requestKey(planned), request);
    }
  }
  return { requests: [...requests.values()], skipped: [...skipped.values()] };
}

function merged(known: PlannedRequest, other: PlannedRequest): PlannedRequest {
  return {
    ...known,
    times: Math.max(known.times, other.times),
    conclusive: known.conclusive && other.conclusive,
    responseHeaders: [...new Set([...known.responseHeaders, ...other.responseHeaders])],
  };
}

interface Suggestion {
  planned: PlannedRequest;
  target: Target | undefined;
}

function suggestions(
  { routes, gateways }: RouteSource,
  options: { unsafeMethods: boolean },
  skipped: Map<string, Skipped>,
): Suggestion[] {
  const byName = new Map(
    gateways.map((gateway) => [`${gateway.metadata.namespace}/${gateway.metadata.name}`, gateway]),
  );
  const suggested: Suggestion[] = [];
  const unknown = new Map<string, Target | undefined>();
  for (const route of routes) {
    if (isForMesh(route)) {
      const what = `HTTPRoute ${route.metadata.namespace}/${route.metadata.name}`;
      skipped.set(what, { what, why: "its parents are Services (a mesh): no request from outside takes it" });
      continue;
    }
    const places = placesOf(route, byName);
    for (const { target } of places) unknown.set(`${target?.scheme ?? "http"} ${target?.listenerPort}`, target);
    for (const { origin, match, rule } of matchesOf(route)) {
      const refused = refusal(match, options.unsafeMethods);
      if (refused) skipped.set(origin, { what: origin, why: refused });
      else for (const place of places) suggested.push(...requestsFor(match, rule, place, origin));
    }
  }
  for (const target of unknown.values()) {
    const base = { ...blank, scheme: target?.scheme ?? "http", host: unknownHost, origin: "a host that no route has" };
    suggested.push({ planned: { ...base, targets: {} }, target });
  }
  return suggested;
}

function isForMesh({ spec }: HTTPRoute): boolean {
  const parents = spec?.parentRefs ?? [];
  return parents.length > 0 && parents.every(({ kind }) => kind === "Service");
}

type Place = { target: Target | undefined; hostname: string };

/** Where the route is reached. With no listener in this cluster it still says what is to be asked. */
function placesOf(route: HTTPRoute, gateways: ReadonlyMap<string, Gateway>): Place[] {
  const attached = attachedListeners(route, gateways);
  if (attached.length > 0) {
    return attached.flatMap(({ target, hostnames }) => hostnames.map((hostname) => ({ target, hostname })));
  }
  return (route.spec?.hostnames ?? ["*"]).map((hostname) => ({ target: undefined, hostname }));
}

function* matchesOf(route: HTTPRoute): Generator<{ origin: string; match: HTTPRouteMatch; rule: HTTPRouteRule }> {
  const name = `HTTPRoute ${route.metadata.namespace}/${route.metadata.name}`;
  for (const [ruleIndex, rule] of (route.spec?.rules ?? []).entries()) {
    const matches = rule.matches?.length ? rule.matches : [{} as HTTPRouteMatch];
    for (const [matchIndex, match] of matches.entries()) {
      yield { origin: `${name}, rule ${ruleIndex + 1}, match ${matchIndex + 1}`, match, rule };
    }
  }
}

function refusal(
  { path, headers = [], queryParams = [], method }: HTTPRouteMatch,
  unsafe: boolean,
): string | undefined {
  if (path?.type === "RegularExpression") return "its path is a regular expression: ask by --requests";
  if ([...headers, ...queryParams].some(({ type }) => type === "RegularExpression")) {
    return "a header or query parameter is a regular expression: ask by --requests";
  }
  const secret = headers.find(({ name }) => secretHeader.test(name))?.name;
  // The value is in a route of one cluster, and would be sent to the other one.
  if (secret !== undefined) return `the header ${secret} may be a secret: ask by --requests`;
  if (headers.some(({ name }) => name.toLowerCase() === "host")) return "it matches on the Host header itself";
  if (method && !safeMethods.has(method) && !unsafe) {
    return `it takes ${method} only, which may change something: allow it with --unsafe-methods`;
  }
  return undefined;
}

const secretHeader = /authorization|cookie|credential|key|password|secret|token/i;

const blank = {
  method: "GET",
  path: "/",
  headers: {},
  times: 1,
  conclusive: true,
  responseHeaders: [] as string[],
  ignoreBody: false,
};

function requestsFor(match: HTTPRouteMatch, rule: HTTPRouteRule, place: Place, origin: string): Suggestion[] {
  const { target, hostname } = place;
  // %20, not +, which some take literally.
  const query = (match.queryParams ?? [])
    .map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  const path = match.path?.value || "/";
  const base: PlannedRequest = {
    ...blank,
    ...repetition(rule, match.method ?? "GET"),
    method: match.method ?? "GET",
    scheme: target?.scheme ?? "http",
    host: exampleHost(hostname),
    path: withQuery(path, query),
    headers: Object.fromEntries((match.headers ?? []).map(({ name, value }) => [name, value])),
    responseHeaders: changedHeaders(rule),
    origin,
    targets: {},
  };
  const beside = path.replace(/\/$/, "");
  // A prefix ends at a path segment: `/v1` is no prefix of `/v10`. An exact path is one of nothing.
  const miss = {
    ...base,
    times: 1,
    conclusive: true,
    path: withQuery(`${beside}0`, query),
    origin: `beside ${origin}`,
  };
  return beside === "" ? [{ planned: base, target }] : [base, miss].map((planned) => ({ planned, target }));
}

const withQuery = (path: string, query: string): string => (query ? `${path}?${query}` : path);

const exampleHost = (hostname: string): string =>
  hostname === "*" ? anyHost : hostname.replace(/^\*\./, "gatehouse-diff.");

/** Often enough for each backend to be met, by the weights (1 when none is written; 0 takes a backend out). */
function repetition({ backendRefs = [] }: HTTPRouteRule, method: string): { times: number; conclusive: boolean } {
  const weights = backendRefs.map(({ weight }) => weight ?? 1).filter((weight) => weight > 0);
  if (weights.length < 2) return { times: 1, conclusive: true };
  // What may change something is done once, allowed or not.
  if (!safeMethods.has(method)) return { times: 1, conclusive: false };
  const share = Math.min(...weights) / weights.reduce((sum, weight) => sum + weight, 0);
  const needed = Math.ceil(Math.log(missedBackend) / Math.log(1 - share));
  return { times: Math.min(needed, mostTimes), conclusive: needed <= mostTimes };
}

/** The response headers that a rule's filters set: the ones its author wants to see. */
function changedHeaders({ filters = [], backendRefs = [] }: HTTPRouteRule): string[] {
  const all = [...filters, ...backendRefs.flatMap((backend) => backend.filters ?? [])];
  const names = all.flatMap(({ responseHeaderModifier: change }) => [
    ...[...(change?.set ?? []), ...(change?.add ?? [])].map(({ name }) => name),
    ...(change?.remove ?? []),
  ]);
  return [...new Set(names.map((name) => name.toLowerCase()))];
}
