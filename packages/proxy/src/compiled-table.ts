// Listeners and routes made ready for traffic: a listener's matcher, a route's filters and shares.

import { BlockList, isIP } from "node:net";
import { compileFilters } from "./filters.ts";
import type { FilterPlan } from "./filters.ts";
import type { Matcher } from "./match/matcher.ts";
import type { OwnAnswer } from "./own-answer.ts";
import type { CorsPolicy } from "./policies/cors.ts";
import type { Listener, Route, RouteAction, WeightedBackend } from "./routing-table.ts";
import type { TrafficCounters } from "./stats.ts";
import { WeightedRoundRobin } from "./upstream/balancer.ts";
import type { ServiceState, Upstreams } from "./upstream/upstreams.ts";

/** One share of a route. */
export interface CompiledBackend {
  /** Null when unusable: `status` and `reason` answer instead. */
  service: ServiceState | null;
  status: number;
  reason: string;
  /** Filters of the route, then of the backend. */
  plan: FilterPlan;
}

export interface CompiledRoute {
  route: Route;
  counters: TrafficCounters;
  /** Filters of the route alone, for answers without a backend. */
  plan: FilterPlan;
  /** Null when the route forwards. */
  answer: OwnAnswer | null;
  /** Of the route, else of the first backend that has one. */
  cors: CorsPolicy | null;
  backends: CompiledBackend[];
  shares: WeightedRoundRobin;
  /** Milliseconds, 0 for none. */
  requestTimeout: number;
  backendTimeout: number;
}

export interface CompiledListener {
  listener: Listener;
  matcher: Matcher<CompiledRoute>;
  /** Null when nobody is believed. */
  trusted: BlockList | null;
}

export interface CompileContext {
  /** Already updated with the table's services. */
  upstreams: Upstreams;
  counters: TrafficCounters;
  /** The route of this id that is there already: with the same shares the new one goes on in its rotation. */
  previous: CompiledRoute | undefined;
}

/** A listener's matcher outlives tables; the rest is made anew when it changes, so that connections see by the object's identity
 * that what they know of their client may be out of date. */
export function compileListener(listener: Listener, matcher: Matcher<CompiledRoute>): CompiledListener {
  return { listener, matcher, trusted: compileTrusted(listener.trustedProxies ?? []) };
}

export function compileRoute(route: Route, context: CompileContext): CompiledRoute {
  const { action } = route;
  const { previous } = context;
  const backends = action.type === "forward" ? action.backends : [];
  const plan = compileFilters(route.filters);
  const compiled = backends.map((backend) => compileBackend(backend, route, context));
  return {
    route,
    counters: context.counters,
    plan,
    answer: action.type === "respond" ? fixedAnswer(action) : null,
    cors: plan.cors ?? compiled.find((backend) => backend.plan.cors !== null)?.plan.cors ?? null,
    backends: compiled,
    shares: sameShares(previous?.route, route)
      ? previous!.shares
      : new WeightedRoundRobin(backends.map((backend) => backend.weight)),
    requestTimeout: route.timeouts?.request ?? 0,
    backendTimeout: route.timeouts?.backendRequest ?? 0,
  };
}

function compileBackend(backend: WeightedBackend, route: Route, context: CompileContext): CompiledBackend {
  const service = backend.service === undefined ? null : (context.upstreams.get(backend.service) ?? null);
  const plan = compileFilters([...route.filters, ...backend.filters]);
  const status = backend.status ?? 500;
  if (service === null) {
    const missing = backend.service === undefined ? "backend-unusable" : `service-unknown: ${backend.service}`;
    return { service, status, reason: backend.reason ?? missing, plan };
  }
  const { protocol } = service.service;
  if (protocol !== "http") return { service: null, status, reason: `protocol-not-supported: ${protocol}`, plan };
  return { service, status, reason: "", plan };
}

/** A content type that could end its line is left out, as header values of filters are. */
function fixedAnswer({ status, reason, body, contentType }: Extract<RouteAction, { type: "respond" }>): OwnAnswer {
  return {
    status,
    reason,
    lines: "",
    ...(body !== undefined && { body: Buffer.from(body).toString("latin1") }),
    ...(contentType !== undefined && /^[ -~]*$/.test(contentType) && { contentType }),
  };
}

function sameShares(previous: Route | undefined, route: Route): boolean {
  return previous !== undefined && sharesKey(previous) === sharesKey(route);
}

function sharesKey({ action }: Route): string {
  if (action.type !== "forward") return "";
  return JSON.stringify(action.backends.map(({ service, weight }) => [service ?? null, weight]));
}

/** CIDRs or single addresses; what is neither is believed by nobody. */
function compileTrusted(entries: string[]): BlockList | null {
  const list = new BlockList();
  let any = false;
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address);
    const longest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || prefix < 0 || prefix > longest) continue;
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
    any = true;
  }
  return any ? list : null;
}

/** Whether a peer may speak for somebody else. */
export function isTrusted(listener: CompiledListener, address: string): boolean {
  if (listener.trusted === null) return false;
  return listener.trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
