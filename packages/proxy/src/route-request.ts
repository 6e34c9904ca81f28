// What becomes of a request: matched against the listener's table, then answered, redirected or sent on. The decision is
// made from the parsed head alone, before any I/O, and is the same for every protocol the client may speak.

import type { CompiledBackend, CompiledListener, CompiledRoute, HoldPlan } from "./compiled-table.ts";
import type { ProxiedAddresses } from "./connection-facts.ts";
import { redirectLocation, rewritePath } from "./filters.ts";
import type { HeaderEdits } from "./filters.ts";
import { forwardedScheme, reachedPort } from "./forwarding-fields.ts";
import type { ClientFacts, ForwardingFields } from "./forwarding-fields.ts";
import { Framing, listMembers } from "./http1/field-lines.ts";
import { endToEndLines, requestHeadText } from "./http1/head-writer.ts";
import type { RequestHead } from "./http1/request-head.ts";
import { latin1Copy } from "./io/latin1.ts";
import type { Matcher, MatchResult, NoMatch } from "./match/matcher.ts";
import type { OwnAnswer } from "./own-answer.ts";
import { fieldsOf } from "./policies/external-auth.ts";
import type { AuthQuestion } from "./policies/external-auth.ts";
import { hashOf } from "./policies/hash-key.ts";
import type { SessionChoice, SessionPolicy } from "./policies/session.ts";
import type { OutgoingRequest } from "./upstream/upstream.ts";
import type { ServiceState } from "./upstream/service-state.ts";

export type Decision = Answer | Forward;

export type ServedBackend = CompiledBackend & { service: ServiceState };

export interface Answer {
  type: "answer";
  /** Null when none was found. */
  route: CompiledRoute | null;
  answer: OwnAnswer;
}

export interface Forward {
  type: "forward";
  route: CompiledRoute;
  backend: ServedBackend;
  request: OutgoingRequest;
  /** To make to the backend's answer. */
  response: HeaderEdits | null;
  /** Field lines, with CRLF, for an answer that the proxy gives in the backend's place. */
  ownLines: string;
  /** A 32-bit number of what the service tells requests apart by. */
  hash: number;
  /** Null without session persistence. */
  session: SessionChoice | null;
  /** Null when the request is sent on at once. */
  hold: Hold | null;
}

/** What a request waits for. */
export interface Hold extends HoldPlan {
  /** What services are asked about it; null when none is. */
  question: AuthQuestion | null;
  /** Of the body in bytes, -1 when it is not known. */
  bodyLength: number;
  /** The client sends its body when it is told to (RFC 9110 section 10.1.1). */
  expectsContinue: boolean;
}

export interface ClientContext {
  facts: ClientFacts;
  forwarding: ForwardingFields;
  /** Where it came from and to. */
  connection: { readonly addresses: ProxiedAddresses };
}

const NONE: Set<string> = new Set();

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

const NO_MATCH_STATUS: Record<NoMatch, number> = {
  "no-virtual-host": 404,
  "no-route": 404,
  "path-hides-dot-segments": 400,
  "path-ambiguous": 400,
  "misdirected-request": 421,
};

/** What was found for a head that comes again and again. */
interface Routed {
  /** Of the matcher. */
  stamp: number;
  serverName: string | null;
  found: MatchResult<CompiledRoute>;
}

/** What was sent for one. */
interface Sent {
  backend: ServedBackend;
  forwarding: string;
  request: OutgoingRequest;
}

/** Decides for the request in `head`, and takes the next share and the next step of the rotation for it. */
export function routeRequest(listener: CompiledListener, head: RequestHead, client: ClientContext): Decision {
  const found = find(listener.matcher, head, client.facts.serverName);
  if (found.entry !== null) return decide(found.entry.target, head, found.path, client);
  return { type: "answer", route: null, answer: { status: NO_MATCH_STATUS[found.why], reason: found.why, lines: "" } };
}

function find(
  matcher: Matcher<CompiledRoute>,
  head: RequestHead,
  serverName: string | null,
): MatchResult<CompiledRoute> {
  const memory = head.known === null ? null : head.known.memory;
  const last = memory === null ? null : (memory.routed as Routed | null);
  if (last !== null && last.stamp === matcher.stamp && last.serverName === serverName) return last.found;
  const found = matcher.find(head.bareHost, head, serverName);
  if (memory !== null) memory.routed = { stamp: matcher.stamp, serverName, found } satisfies Routed;
  return found;
}

/** `path` as matched. */
function decide(route: CompiledRoute, head: RequestHead, path: string, client: ClientContext): Decision {
  const preflight = route.cors === null ? null : route.cors.preflight(head);
  if (preflight !== null) return { type: "answer", route, answer: preflight };
  if (route.plan.redirect !== null) return redirect(route, head, path, client.facts);
  if (route.answer !== null) return answerFor(route, head, route.answer);
  const session = route.session === null ? null : chooseSession(route.session, route, head, client.facts);
  // A session outranks the weights (GEP-1619, "Traffic Splitting").
  const share = session !== null && session.share >= 0 ? session.share : route.shares.next();
  if (share < 0) return answerFor(route, head, { status: 500, reason: "no-backend-with-weight", lines: "" });
  const backend = route.backends[share]!;
  if (!hasService(backend)) {
    return answerFor(route, head, { status: backend.status, reason: backend.reason, lines: "" });
  }
  const { plan, service } = backend;
  const ownLines = plan.cors === null ? "" : plan.cors.lines(head);
  return {
    type: "forward",
    route,
    backend,
    request: outgoing(head, path, route, backend, client),
    response: withLines(plan.response, ownLines),
    ownLines,
    hash: service.hashBy === null ? 0 : hashOf(service.hashBy, head, client.facts),
    session,
    hold: backend.hold === null ? null : holdOf(backend.hold, head, path, client),
  };
}

/** What `head` says is kept here, as it is gone when somebody is asked. */
function holdOf(plan: HoldPlan, head: RequestHead, path: string, client: ClientContext): Hold | null {
  const hasBody = head.framing === Framing.chunked || head.contentLength > 0;
  if (plan.auth.length === 0 && !hasBody) return null;
  const bodyLength = head.framing === Framing.chunked ? -1 : head.contentLength;
  const question = plan.auth.length === 0 ? null : questionOf(head, path, client);
  return { ...plan, question, bodyLength, expectsContinue: head.expectContinue };
}

function questionOf(head: RequestHead, path: string, { facts, forwarding }: ClientContext): AuthQuestion {
  const lines = endToEndLines(head, { edits: null, forwarding: forwarding.lines(head), trusted: facts.trusted });
  return {
    method: head.method,
    path: path + head.query,
    host: head.host,
    scheme: forwardedScheme(head, facts),
    address: facts.address,
    fields: fieldsOf(lines),
  };
}

function answerFor(route: CompiledRoute, head: RequestHead, own: OwnAnswer): Answer {
  const answer = route.cors === null ? own : { ...own, lines: own.lines + route.cors.lines(head) };
  return { type: "answer", route, answer };
}

function hasService(backend: CompiledBackend): backend is ServedBackend {
  return backend.service !== null;
}

function redirect(route: CompiledRoute, head: RequestHead, path: string, facts: ClientFacts): Answer {
  const filter = route.plan.redirect!;
  const scheme = forwardedScheme(head, facts);
  const request = { scheme, host: head.host, port: reachedPort(head, facts), path, query: head.query };
  const location = redirectLocation(filter, request, route.route);
  return answerFor(route, head, { status: filter.status, reason: "redirect", lines: `Location: ${location}\r\n` });
}

function chooseSession(
  policy: SessionPolicy,
  route: CompiledRoute,
  head: RequestHead,
  facts: ClientFacts,
): SessionChoice {
  return policy.choose(head, route.backends, forwardedScheme(head, facts) === "https");
}

function withLines(edits: HeaderEdits | null, lines: string): HeaderEdits | null {
  if (lines === "") return edits;
  return edits === null ? { drop: NONE, append: lines } : { drop: edits.drop, append: edits.append + lines };
}

/** The request as it goes to `backend`: the one of the last time when all that it is made of is the same. */
function outgoing(
  head: RequestHead,
  path: string,
  route: CompiledRoute,
  backend: ServedBackend,
  client: ClientContext,
): OutgoingRequest {
  const forwarding = client.forwarding.lines(head);
  const unique = head.known === null || client.facts.trusted || backend.service.protocol.proxyProtocol !== 0;
  const memory = unique ? null : head.known!.memory;
  const last = memory === null ? null : (memory.sent as Sent | null);
  if (last !== null && last.backend === backend && last.forwarding === forwarding) {
    const { request } = last;
    request.text ??= latin1Copy(requestHeadText(request));
    return request;
  }
  const { plan } = backend;
  const target = (plan.path === null ? path : rewritePath(path, plan.path, route.route)) + head.query;
  const request = newRequest(head, target, forwarding, backend, client);
  if (memory !== null) memory.sent = { backend, forwarding, request } satisfies Sent;
  return request;
}

function newRequest(
  head: RequestHead,
  target: string,
  forwarding: string,
  { plan, service }: ServedBackend,
  client: ClientContext,
): OutgoingRequest {
  const hasBody = head.framing === Framing.chunked || head.contentLength > 0;
  const upgrade = hasBody ? "" : upgradeToAskFor(head.upgrade);
  return {
    method: head.method,
    target,
    host: plan.hostname ?? head.host,
    text: null,
    lines: endToEndLines(head, { edits: plan.request, forwarding, trusted: client.facts.trusted }),
    scheme: client.facts.tls ? "https" : "http",
    hasBody,
    chunked: head.framing === Framing.chunked,
    acceptsTrailers: head.acceptsTrailers,
    upgrade,
    replayable: !hasBody && upgrade === "" && IDEMPOTENT.has(head.method),
    client: service.protocol.proxyProtocol === 0 ? null : client.connection.addresses,
  };
}

/** h2c is never passed on: behind it requests would flow past the matcher. */
function upgradeToAskFor(protocols: string): string {
  if (protocols === "" || !/h2c/i.test(protocols)) return protocols;
  return listMembers(protocols)
    .filter((protocol) => protocol !== "h2c")
    .join(", ");
}
