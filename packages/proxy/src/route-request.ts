// What becomes of a request: matched against the listener's table, then answered, redirected or sent on. The decision is
// made from the parsed head alone, before any I/O, and is the same for every protocol the client may speak.

import type { CompiledBackend, CompiledListener, CompiledRoute } from "./compiled-table.ts";
import { redirectLocation, rewritePath } from "./filters.ts";
import type { HeaderEdits } from "./filters.ts";
import { forwardedScheme, reachedPort } from "./forwarding-fields.ts";
import type { ClientFacts, ForwardingFields } from "./forwarding-fields.ts";
import { Framing, listMembers } from "./http1/field-lines.ts";
import { endToEndLines } from "./http1/head-writer.ts";
import type { RequestHead } from "./http1/request-head.ts";
import { bareHost } from "./match/hostname.ts";
import type { NoMatch } from "./match/matcher.ts";
import type { OwnAnswer } from "./own-answer.ts";
import type { OutgoingRequest } from "./upstream/upstream.ts";
import type { ServiceState } from "./upstream/upstreams.ts";

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
}

export interface ClientContext {
  facts: ClientFacts;
  forwarding: ForwardingFields;
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

/** Decides for the request in `head`, and takes the next share and the next step of the rotation for it. */
export function routeRequest(listener: CompiledListener, head: RequestHead, client: ClientContext): Decision {
  const found = listener.matcher.find(bareHost(head.host), head, client.facts.serverName);
  if (found.entry === null) {
    const answer = { status: NO_MATCH_STATUS[found.why], reason: found.why, lines: "" };
    return { type: "answer", route: null, answer };
  }
  return decide(found.entry.target, { head, client, path: found.path });
}

/** A request at its route. */
interface RoutedRequest {
  head: RequestHead;
  client: ClientContext;
  /** As matched. */
  path: string;
}

function decide(route: CompiledRoute, asked: RoutedRequest): Decision {
  const { head } = asked;
  const preflight = route.cors === null ? null : route.cors.preflight(head);
  if (preflight !== null) return { type: "answer", route, answer: preflight };
  if (route.plan.redirect !== null) return redirect(route, asked);
  if (route.answer !== null) return answerFor(route, head, route.answer);
  const share = route.shares.next();
  if (share < 0) return answerFor(route, head, { status: 500, reason: "no-backend-with-weight", lines: "" });
  const backend = route.backends[share]!;
  if (hasService(backend)) return forward(route, backend, asked);
  return answerFor(route, head, { status: backend.status, reason: backend.reason, lines: "" });
}

function answerFor(route: CompiledRoute, head: RequestHead, own: OwnAnswer): Answer {
  const answer = route.cors === null ? own : { ...own, lines: own.lines + route.cors.lines(head) };
  return { type: "answer", route, answer };
}

function hasService(backend: CompiledBackend): backend is ServedBackend {
  return backend.service !== null;
}

function redirect(route: CompiledRoute, { head, client: { facts }, path }: RoutedRequest): Answer {
  const filter = route.plan.redirect!;
  const request = {
    scheme: forwardedScheme(head, facts),
    host: head.host,
    port: reachedPort(head, facts),
    path,
    query: head.query,
  };
  const location = redirectLocation(filter, request, route.route);
  return answerFor(route, head, { status: filter.status, reason: "redirect", lines: `Location: ${location}\r\n` });
}

function forward(route: CompiledRoute, backend: ServedBackend, asked: RoutedRequest): Forward {
  const { plan } = backend;
  const path = plan.path === null ? asked.path : rewritePath(asked.path, plan.path, route.route);
  const request = outgoing(asked.head, path + asked.head.query, backend, asked.client);
  const ownLines = plan.cors === null ? "" : plan.cors.lines(asked.head);
  return { type: "forward", route, backend, request, response: withLines(plan.response, ownLines), ownLines };
}

function withLines(edits: HeaderEdits | null, lines: string): HeaderEdits | null {
  if (lines === "") return edits;
  return edits === null ? { drop: NONE, append: lines } : { drop: edits.drop, append: edits.append + lines };
}

function outgoing(head: RequestHead, target: string, backend: CompiledBackend, client: ClientContext): OutgoingRequest {
  const hasBody = head.framing === Framing.chunked || head.contentLength > 0;
  const upgrade = hasBody ? "" : upgradeToAskFor(head.upgrade);
  const lines = endToEndLines(head, {
    edits: backend.plan.request,
    forwarding: client.forwarding.lines(head),
    trusted: client.facts.trusted,
  });
  return {
    method: head.method,
    target,
    host: backend.plan.hostname ?? head.host,
    lines,
    scheme: client.facts.tls ? "https" : "http",
    hasBody,
    chunked: head.framing === Framing.chunked,
    acceptsTrailers: head.acceptsTrailers,
    upgrade,
    replayable: !hasBody && upgrade === "" && IDEMPOTENT.has(head.method),
  };
}

/** h2c is never passed on: behind it requests would flow past the matcher. */
function upgradeToAskFor(protocols: string): string {
  if (protocols === "" || !/h2c/i.test(protocols)) return protocols;
  return listMembers(protocols)
    .filter((protocol) => protocol !== "h2c")
    .join(", ");
}
