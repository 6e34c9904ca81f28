// Listeners and routes made ready for traffic: a listener's matcher, a route's filters, shares and policies.

import { BlockList, isIP } from "node:net";
import { compileFilters } from "./filters.ts";
import type { FilterPlan } from "./filters.ts";
import type { Matcher } from "./match/matcher.ts";
import type { OwnAnswer } from "./own-answer.ts";
import type { CorsPolicy } from "./policies/cors.ts";
import { MirrorTarget } from "./policies/mirror.ts";
import { SessionPolicy } from "./policies/session.ts";
import type { SessionTokens } from "./policies/session.ts";
import type { Listener, Mirror, Retry, Route, RouteAction, Service, WeightedBackend } from "./routing-table.ts";
import type { TrafficCounters } from "./stats.ts";
import { WeightedRoundRobin } from "./upstream/balancer.ts";
import type { ServiceState } from "./upstream/service-state.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

/** One share of a route. */
export interface CompiledBackend {
  /** Null when unusable: `status` and `reason` answer instead. */
  service: ServiceState | null;
  status: number;
  reason: string;
  /** Filters of the route, then of the backend. */
  plan: FilterPlan;
  /** Null without. */
  mirrors: MirrorTarget[] | null;
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
  retry: Retry | null;
  session: SessionPolicy | null;
}

export interface CompiledListener {
  listener: Listener;
  matcher: Matcher<CompiledRoute>;
  /** Null when nobody is believed. */
  trusted: BlockList | null;
}

export interface CompileContext {
  services: Record<string, Service>;
  /** Already updated with `services`. */
  upstreams: Upstreams;
  sessions: SessionTokens;
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
    retry: route.retry ?? null,
    session: SessionPolicy.of(route, context.sessions),
  };
}

function compileBackend(backend: WeightedBackend, route: Route, context: CompileContext): CompiledBackend {
  const plan = compileFilters([...route.filters, ...backend.filters]);
  const mirrors = compileMirrors(plan.mirrors, context);
  const status = backend.status ?? 500;
  const unusable = (reason: string): CompiledBackend => ({ service: null, status, reason, plan, mirrors });
  if (backend.service === undefined) return unusable(backend.reason ?? "backend-unusable");
  const service = context.upstreams.get(backend.service);
  if (service === undefined) return unusable(backend.reason ?? `service-unknown: ${backend.service}`);
  const refusal = unspoken(service, context);
  return refusal === null ? { service, status, reason: "", plan, mirrors } : unusable(refusal);
}

/** Mirrors that cannot be sent to are left out: the request itself is none the worse for it. */
function compileMirrors(mirrors: Mirror[], context: CompileContext): MirrorTarget[] | null {
  const targets: MirrorTarget[] = [];
  for (const mirror of mirrors) {
    const service = context.upstreams.get(mirror.service);
    if (service !== undefined && unspoken(service, context) === null) targets.push(new MirrorTarget(mirror, service));
  }
  return targets.length === 0 ? null : targets;
}

/** Why requests cannot be sent to a service; null when they can. */
function unspoken(service: ServiceState, context: CompileContext): string | null {
  const { protocol } = context.services[service.id]!;
  return protocol === "http" ? null : `protocol-not-supported: ${protocol}`;
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
