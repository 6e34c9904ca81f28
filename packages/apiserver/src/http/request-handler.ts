// One HTTP request from head to last byte: who, what, may they, do it, answer. Errors are rendered here and nowhere else.

import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Log } from "@gatehouse/apimachinery/log";
import { StatusError, unauthorized } from "@gatehouse/apimachinery/status-error";
import { type IncludeObject, encodeAnswer, eventView, viewOf } from "./answer-encoding.ts";
import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import { authorizePath, authorizeResource, impersonated } from "../auth/access.ts";
import type { Authenticator } from "../auth/authentication.ts";
import type { Authorizer } from "../auth/authorization.ts";
import { type Body, readBody } from "./decode-body.ts";
import { statusOf } from "./error-answers.ts";
import type { Identity } from "../auth/identity.ts";
import { isPublicPath, type PathAnswer, type PathAnswers } from "./path-answers.ts";
import { parseRequest, type ResourceRequestInfo } from "./request-info.ts";
import { answerResource, definitionFor } from "./resource-router.ts";
import { watch, type WatchSink } from "../verbs/watch.ts";
import { WatchResponse } from "./watch-response.ts";

export interface HandlerParts {
  context: ApiContext;
  authenticator: Authenticator;
  authorizer: Authorizer;
  paths: PathAnswers;
  log: Log;
}

const emptyBody: Body = { contentType: "", bytes: Buffer.alloc(0) };

/** Handles requests until `close`, which ends every watch and log stream. */
export class RequestHandler {
  readonly #parts: HandlerParts;
  readonly #open = new Set<AbortController>();
  #closing = false;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Never rejects: a failure is an answer, or the end of the connection. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController();
    this.#open.add(abort);
    response.on("close", () => {
      this.#open.delete(abort);
      abort.abort();
    });
    response.on("error", () => abort.abort());
    try {
      await this.#answer(request, response, abort.signal);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  close(): void {
    this.#closing = true;
    for (const abort of this.#open) abort.abort();
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { context, authenticator, authorizer, paths } = this.#parts;
    const info = parseRequest(request.method ?? "GET", request.url ?? "/");
    if (!info.isResource && isPublicPath(info.path)) return sendPath(response, await paths.answer(info, ""));
    const caller = authenticator.identify(request);
    if (!caller) throw unauthorized();
    const identity = impersonated(authorizer, caller, request.headers);
    const accept = request.headers.accept ?? "";
    if (!info.isResource) {
      authorizePath(authorizer, identity, info);
      return sendPath(response, await paths.answer(info, accept));
    }
    authorizeResource(authorizer, identity, info);
    const full = await this.#resourceRequest(request, info, identity, accept, signal);
    if (full.verb === "watch") return this.#watch(full, response);
    const answer = await answerResource(context, authenticator, authorizer, full);
    await sendAnswer(response, answer, full);
  }

  async #resourceRequest(
    request: IncomingMessage,
    info: ResourceRequestInfo,
    identity: Identity,
    accept: string,
    signal: AbortSignal,
  ): Promise<ResourceRequest> {
    const definition = definitionFor(this.#parts.context.registry, info);
    const reads = info.verb === "get" || info.verb === "list" || info.verb === "watch";
    const body = reads ? emptyBody : await readBody(request);
    const userAgent = request.headers["user-agent"] ?? "";
    return { ...info, definition, identity, body, accept, userAgent, warnings: [], signal };
  }

  async #watch(request: ResourceRequest, response: ServerResponse): Promise<void> {
    const view = viewOf(request.accept);
    const show = await eventView(request.definition, view, includeOf(request.query));
    const start = await watch(this.#parts.context, request).catch(expiredWatch);
    response.writeHead(200, {
      "content-type": view === "plain" ? "application/json" : "application/json;stream=watch",
      "cache-control": "no-cache, private",
    });
    response.flushHeaders();
    const sink = new WatchResponse(response, show);
    start(sink);
    sink.started();
  }

  #fail(response: ServerResponse, error: unknown): void {
    const status = statusOf(error);
    // A client that went away in the middle is no fault of anybody here.
    if (status.code >= 500 && !(error instanceof StatusError) && !this.#closing && !response.destroyed) {
      this.#parts.log.error("a request failed", error);
    }
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    // What is left of a refused body is not worth reading.
    if (status.code === 413) response.setHeader("connection", "close");
    if (status.status.details?.retryAfterSeconds) {
      response.setHeader("retry-after", String(status.status.details.retryAfterSeconds));
    }
    sendJson(response, status.code, JSON.stringify(status.status));
  }
}

/** As Kubernetes, a watch from a forgotten revision begins, and ends with an ERROR event. */
function expiredWatch(error: unknown): (sink: WatchSink) => void {
  if (!(error instanceof StatusError) || error.reason !== "Expired") throw error;
  return (sink) => {
    sink.fail(error.status);
    sink.end();
  };
}

function sendPath(response: ServerResponse, answer: PathAnswer): void {
  response.writeHead(answer.code, {
    "content-type": answer.contentType,
    "content-length": Buffer.byteLength(answer.body),
    "cache-control": "no-cache, private",
    ...answer.headers,
  });
  response.end(answer.body);
}

async function sendAnswer(response: ServerResponse, answer: Answer, request: ResourceRequest): Promise<void> {
  if (request.warnings.length > 0) response.setHeader("warning", [...new Set(request.warnings)].map(warningHeader));
  if (answer.type === "stream") {
    response.writeHead(answer.code, { "content-type": answer.contentType, "cache-control": "no-cache, private" });
    response.flushHeaders();
    return pipeline(answer.stream, response);
  }
  const code = answer.type === "list" ? 200 : answer.code;
  const view = viewOf(request.accept);
  sendJson(response, code, await encodeAnswer(answer, request.definition, view, includeOf(request.query)));
}

function sendJson(response: ServerResponse, code: number, json: string): void {
  response.writeHead(code, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(json),
    "cache-control": "no-cache, private",
  });
  response.end(json);
}

function includeOf(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject");
  return value === "None" || value === "Object" ? value : "Metadata";
}

/** RFC 7234 section 5.5, code 299; what a header cannot carry becomes a question mark. */
function warningHeader(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
  return `299 - "${safe}"`;
}
