// Listeners and routes made ready for traffic: a listener's matcher, a route's filters, shares and policies.

import type { BlockList } from "node:net";
import { compileFilters } from "./filters.ts";
import type { FilterPlan } from "./filters.ts";
import { HostIndex } from "./match/hostname.ts";
import type { Matcher } from "./match/matcher.ts";
import type { OwnAnswer } from "./own-answer.ts";
import { compilePeers, isListed } from "./peer-list.ts";
import type { CorsPolicy } from "./policies/cors.ts";
import { authTarget } from "./policies/external-auth.ts";
import type { AuthTarget } from "./policies/external-auth.ts";
import { MirrorTarget } from "./policies/mirror.ts";
import { SessionPolicy } from "./policies/session.ts";
import type { SessionTokens } from "./policies/session.ts";
import type { Listener, Mirror, Retry, Route, RouteAction, StreamRoute, WeightedBackend } from "./routing-table.ts";
import type { TrafficCounters } from "./stats.ts";
import type { Carried, CompiledStream } from "./streams/compiled-stream.ts";
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
  /** What a request must wait for before it is sent on; null for nothing. */
  hold: HoldPlan | null;
}

export interface HoldPlan {
  /** In turn. */
  auth: AuthTarget[];
  /** The body is gathered first and may have so many bytes; Infinity when it is not gathered. */
  longest: number;
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
  /** Who begins connections with a PROXY header; null when nobody. */
  proxyPeers: BlockList | null;
  /** Null: connections that `tlsStreams` does not take are read as HTTP. */
  stream: CompiledStream | null;
  /** By the name the client asks for; null when no connection has to be looked at for it. */
  tlsStreams: HostIndex<TlsTarget> | null;
}

/** Where a TLS connection goes by the name it asks for. */
export type TlsTarget = { mode: "http" } | { mode: "passthrough" | "terminate"; stream: CompiledStream };

export interface CompileContext {
  /** Already updated with the table's services. */
  upstreams: Upstreams;
  sessions: SessionTokens;
  counters: TrafficCounters;
  /** The route of this id that is there already: with the same shares the new one goes on in its rotation. */
  previous: CompiledRoute | undefined;
}

/** A listener's matcher outlives tables; the rest is made anew when it changes, so that connections see by the object's identity
 * that what they know of their client may be out of date. */
export function compileListener(
  listener: Listener,
  matcher: Matcher<CompiledRoute>,
  carry: CompileStream,
): CompiledListener {
  return {
    listener,
    matcher,
    trusted: compilePeers(listener.trustedProxies ?? []),
    proxyPeers: compilePeers(listener.proxyProtocolFrom ?? []),
    stream: listener.stream === undefined ? null : carry(listener.stream, carriedBy(listener)),
    tlsStreams: compileTlsStreams(listener, carry),
  };
}

/** The streams of a compiled listener. */
export function streamsOf({ stream, tlsStreams }: CompiledListener): CompiledStream[] {
  const targets = tlsStreams === null ? [] : [...tlsStreams.entries()].map(({ value }) => value);
  const bySni = targets.flatMap((target) => (target.mode === "http" ? [] : target.stream));
  return stream === null ? bySni : [stream, ...bySni];
}

export type CompileStream = (route: StreamRoute, carried: Carried) => CompiledStream;

function carriedBy({ transport, tls }: Listener): Carried {
  if (transport === "udp") return "udp";
  return tls !== undefined && tls.certificates.length === 0 ? "tls" : "tcp";
}

/** Names of HTTP servers stand among those of streams, as the most specific name counts; a stream comes before HTTP only
 * where both have the same. */
function compileTlsStreams({ tls, servers, stream }: Listener, carry: CompileStream): HostIndex<TlsTarget> | null {
  if (tls === undefined || (tls.streams ?? []).length === 0) return null;
  const targets = new HostIndex<TlsTarget>();
  if (tls.certificates.length > 0 && stream === undefined) {
    for (const { hostname } of servers) targets.set(hostname, { mode: "http" });
  }
  for (const { hostname, mode, route } of tls.streams ?? []) {
    targets.set(hostname, { mode, stream: carry(route, mode === "passthrough" ? "tls" : "tcp") });
  }
  return targets;
}

export function compileRoute(route: Route, context: CompileContext): CompiledRoute {
  const { action } = route;
  const { previous } = context;
  const backends = action.type === "forward" ? action.backends : [];
  const plan = compileFilters(route.filters);
  const compiled = backends.map((backend) => compileBackend(backend, route, plan, context));
  return {
    route,
    counters: context.counters,
    plan,
    answer: action.type === "respond" ? fixedAnswer(action) : null,
    cors: plan.cors ?? compiled.find((backend) => backend.plan.cors !== null)?.plan.cors ?? null,
    backends: compiled,
    shares: sameShares(previous?.route, route) ? previous!.shares : sharesOf(backends),
    requestTimeout: route.timeouts?.request ?? 0,
    backendTimeout: route.timeouts?.backendRequest ?? 0,
    retry: route.retry ?? null,
    session: SessionPolicy.of(route, context.sessions),
  };
}

/** Whose turn it is among one needs no memory. */
const ALWAYS_THE_FIRST = new WeightedRoundRobin([1]);

function sharesOf(backends: readonly WeightedBackend[]): WeightedRoundRobin {
  const weights = backends.map(({ weight }) => weight);
  return weights.length === 1 && weights[0]! > 0 ? ALWAYS_THE_FIRST : new WeightedRoundRobin(weights);
}

function compileBackend(
  backend: WeightedBackend,
  route: Route,
  ofRoute: FilterPlan,
  context: CompileContext,
): CompiledBackend {
  const plan = backend.filters.length === 0 ? ofRoute : compileFilters([...route.filters, ...backend.filters]);
  const mirrors = compileMirrors(plan.mirrors, context);
  const status = backend.status ?? 500;
  const hold = compileHold(plan, context);
  const unusable = (reason: string): CompiledBackend => ({ service: null, status, reason, plan, mirrors, hold });
  if (backend.service === undefined) return unusable(backend.reason ?? "backend-unusable");
  const service = context.upstreams.get(backend.service);
  if (service === undefined) return unusable(backend.reason ?? `service-unknown: ${backend.service}`);
  const refusal = unspoken(service);
  return refusal === null ? { service, status, reason: "", plan, mirrors, hold } : unusable(refusal);
}

/** Mirrors that cannot be sent to are left out: the request itself is none the worse for it. */
function compileMirrors(mirrors: Mirror[], context: CompileContext): MirrorTarget[] | null {
  const targets: MirrorTarget[] = [];
  for (const mirror of mirrors) {
    const service = context.upstreams.get(mirror.service);
    if (service !== undefined && unspoken(service) === null) targets.push(new MirrorTarget(mirror, service));
  }
  return targets.length === 0 ? null : targets;
}

function compileHold({ externalAuth, bufferBytes }: FilterPlan, context: CompileContext): HoldPlan | null {
  if (externalAuth.length === 0 && bufferBytes === Infinity) return null;
  const auth = externalAuth.map((filter) => {
    const service = context.upstreams.get(filter.service);
    const problem = service === undefined ? `service-unknown: ${filter.service}` : unspoken(service);
    return authTarget(filter, problem === null ? service! : null, problem ?? "");
  });
  const shown = auth.map(({ maxBodyBytes }) => (maxBodyBytes > 0 ? maxBodyBytes : Infinity));
  return { auth, longest: Math.min(bufferBytes, ...shown) };
}

/** Why requests cannot be sent to a service; null when they can. */
function unspoken({ protocol, problem }: ServiceState): string | null {
  if (problem !== "") return problem;
  return protocol.name === "tcp" || protocol.name === "udp" ? `protocol-not-supported: ${protocol.name}` : null;
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

/** Whether a peer may speak for somebody else. */
export function isTrusted(listener: CompiledListener, address: string): boolean {
  return isListed(listener.trusted, address);
}
