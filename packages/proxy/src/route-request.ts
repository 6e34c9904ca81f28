// What becomes of a request: matched against the listener's table, then answered, redirected or sent on. The decision is
// made from the parsed head alone, before any I/O, and is the same for every protocol the client may speak.

import type { CompiledBackend, CompiledListener, CompiledRoute } from "./compiled-table.ts";
import { redirectLocation, rewritePath } from "./filters.ts";
import { forwardedScheme, reachedPort } from "./forwarding-fields.ts";
import type { ClientFacts, ForwardingFields } from "./forwarding-fields.ts";
import { Framing, listMembers } from "./http1/field-lines.ts";
import { endToEndLines } from "./http1/head-writer.ts";
import type { RequestHead } from "./http1/request-head.ts";
import { bareHost } from "./match/hostname.ts";
import type { NoMatch } from "./match/matcher.ts";
import type { OutgoingRequest } from "./upstream/upstream.ts";
import type { ServiceState } from "./upstream/upstreams.ts";

export type Decision =
  | { type: "answer"; route: CompiledRoute | null; status: number; reason: string; location?: string }
  | {
      type: "forward";
      route: CompiledRoute;
      backend: CompiledBackend & { service: ServiceState };
      request: OutgoingRequest;
    };

export interface ClientContext {
  facts: ClientFacts;
  forwarding: ForwardingFields;
}

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
  if (found.entry === null)
    return { type: "answer", route: null, status: NO_MATCH_STATUS[found.why], reason: found.why };
  const route = found.entry.target;
  const { action } = route.route;
  if (route.plan.redirect !== null) return redirect(route, head, found.path, client.facts);
  if (action.type === "respond") return { type: "answer", route, status: action.status, reason: action.reason };
  const share = route.shares.next();
  if (share < 0) return { type: "answer", route, status: 500, reason: "no-backend-with-weight" };
  const backend = route.backends[share]!;
  if (!hasService(backend)) return { type: "answer", route, status: backend.status, reason: backend.reason };
  const rewrite = backend.plan.path;
  const rewritten = rewrite === null ? found.path : rewritePath(found.path, rewrite, route.route);
  return { type: "forward", route, backend, request: outgoing(head, rewritten + head.query, backend, client) };
}

function hasService(backend: CompiledBackend): backend is CompiledBackend & { service: ServiceState } {
  return backend.service !== null;
}

function redirect(route: CompiledRoute, head: RequestHead, path: string, facts: ClientFacts): Decision {
  const filter = route.plan.redirect!;
  const scheme = forwardedScheme(head, facts);
  const request = { scheme, host: head.host, port: reachedPort(head, facts), path, query: head.query };
  const location = redirectLocation(filter, request, route.route);
  return { type: "answer", route, status: filter.status, reason: "redirect", location };
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
