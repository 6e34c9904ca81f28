// One HTTP request from head to last byte: who, what, may they, do it, answer. Errors are rendered here and nowhere else.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "@gatehouse/apimachinery/log";
import { badRequest, StatusError, unauthorized } from "@gatehouse/apimachinery/status-error";
import { asksForWebSocket } from "@gatehouse/apimachinery/websocket-server";
import { encodeAnswer, eventView, formOf, type IncludeObject, inNotation, type View } from "./answer-encoding.ts";
import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import { authorizePath, authorizeResource, impersonated } from "../auth/access.ts";
import type { Authenticator } from "../auth/authentication.ts";
import type { Authorizer } from "../auth/authorization.ts";
import { BodyBudget } from "./body-budget.ts";
import { type Body, readBody } from "./decode-body.ts";
import { statusOf } from "./error-answers.ts";
import type { Identity } from "../auth/identity.ts";
import type { CountedRequest, Metrics } from "./metrics.ts";
import type { PathAnswer } from "./path-answer.ts";
import { isPublicPath, type PathAnswers } from "./path-answers.ts";
import { parseRequest, type PathRequestInfo, type ResourceRequestInfo } from "./request-info.ts";
import { answerResource, definitionFor } from "./resource-router.ts";
import { messageWriter, readerProtocols, sendStream, Upgrade } from "./upgrade.ts";
import { connectSubresources } from "../subresources/names.ts";
import { watch, type WatchSink } from "../verbs/watch.ts";
import { WatchResponse } from "./watch-response.ts";

export interface HandlerParts {
  context: ApiContext;
  authenticator: Authenticator;
  authorizer: Authorizer;
  paths: PathAnswers;
  metrics: Metrics;
  log: Log;
}

/** Those that any kind has. */
const countedSubresources = new Set(
  "status scale log exec attach portforward proxy binding eviction token finalize ephemeralcontainers".split(" "),
);

const emptyBody: Body = { contentType: "", bytes: Buffer.alloc(0) };

/** Handles requests until `close`, which ends every watch and log stream. */
export class RequestHandler {
  readonly #parts: HandlerParts;
  readonly #open = new Set<AbortController>();
  readonly #bodies = new BodyBudget();
  #closing = false;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Never rejects: a failure is an answer, or the end of the connection. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#handle(request, response);
  }

  /** The same for a request that asks for another protocol. It may be answered as if it had not (RFC 9110, 7.8). */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const upgrade = new Upgrade(request, socket, head);
    return this.#handle(request, upgrade.response, upgrade);
  }

  async #handle(request: IncomingMessage, response: ServerResponse, upgrade?: Upgrade): Promise<void> {
    const abort = new AbortController();
    this.#open.add(abort);
    response.on("close", () => {
      this.#open.delete(abort);
      // Nobody listens any more to an answer that went out whole, and aborting costs as much as parsing a small body.
      if (!response.writableFinished) abort.abort();
    });
    response.on("error", () => abort.abort());
    try {
      await this.#answer(request, response, abort.signal, upgrade);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  close(): void {
    this.#closing = true;
    for (const abort of this.#open) abort.abort();
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
    upgrade?: Upgrade,
  ): Promise<void> {
    const { context, authenticator, authorizer, paths } = this.#parts;
    const info = parseRequest(request.method ?? "GET", request.url ?? "/");
    const answerPath = async (path: PathRequestInfo, forms: string): Promise<void> =>
      sendPath(request, response, await paths.answer(path, forms));
    const caller = authenticator.identify(request);
    // As kube-apiserver: strangers are let in here, false tokens nowhere.
    if (!info.isResource && isPublicPath(info.path) && (caller || request.headers.authorization === undefined))
      return answerPath(info, "");
    if (!caller) throw unauthorized();
    const identity = impersonated(authorizer, caller, request.headers);
    const accept = request.headers.accept ?? "";
    if (!info.isResource) {
      authorizePath(authorizer, identity, info);
      return answerPath(info, accept);
    }
    this.#count(info, response);
    authorizeResource(authorizer, identity, info);
    // Before anything is done: an answer nobody can read comes too late. Streams have no form.
    if (info.subresource === undefined) formOf(accept);
    const full = await this.#resourceRequest({ request, response }, info, identity, accept, signal, upgrade);
    if (upgrade && connectSubresources.has(`${info.group}/${info.plural}/${info.subresource}`)) {
      const { podConnect } = await import("../subresources/pod-connect.ts");
      const join = await podConnect(context, full, upgrade);
      upgrade.takeOver(signal);
      return join(upgrade.socket);
    }
    const webSocket = upgrade && asksForWebSocket(request) ? upgrade : undefined;
    if (full.verb === "watch") return webSocket ? this.#watchMessages(full, webSocket) : this.#watch(full, response);
    const answer = await answerResource(context, authenticator, authorizer, full);
    if (answer.type === "stream" && webSocket) {
      const socket = await webSocket.webSocket(signal, readerProtocols);
      if (!socket) return void answer.stream.destroy();
      return sendStream(socket, answer.stream);
    }
    await sendAnswer(response, answer, full);
  }

  /** Counts the request when its answer is complete; only for kinds that are served, so that strangers' words are no labels. */
  #count(info: ResourceRequestInfo, response: ServerResponse): void {
    const { metrics, context } = this.#parts;
    const { verb, group, version, plural: resource, subresource = "" } = info;
    if (!context.registry.get(group, version, resource)) return;
    if (subresource !== "" && !countedSubresources.has(subresource)) return;
    const counted: CountedRequest = { verb: verb.toUpperCase(), group, version, resource, subresource };
    const began = performance.now();
    const watches = verb === "watch";
    if (watches) metrics.watches(1);
    response.once("close", () => {
      if (watches) metrics.watches(-1);
      metrics.answered(counted, response.statusCode, (performance.now() - began) / 1000);
    });
  }

  async #resourceRequest(
    { request, response }: { request: IncomingMessage; response: ServerResponse },
    info: ResourceRequestInfo,
    identity: Identity,
    accept: string,
    signal: AbortSignal,
    upgrade: Upgrade | undefined,
  ): Promise<ResourceRequest> {
    const definition = definitionFor(this.#parts.context.registry, info);
    const reads = info.verb === "get" || info.verb === "list" || info.verb === "watch";
    const body = reads || upgrade ? emptyBody : await this.#body(request, response);
    const userAgent = request.headers["user-agent"] ?? "";
    const { deprecation } = definition.custom ?? {};
    const warnings = deprecation === undefined ? [] : [deprecation];
    return { ...info, definition, identity, body, accept, userAgent, warnings, signal };
  }

  /** Its bytes are held until the answer is out. */
  #body(request: IncomingMessage, response: ServerResponse): Promise<Body> {
    let held = 0;
    response.once("close", () => this.#bodies.give(held));
    return readBody(request, (bytes) => {
      if (response.closed) return;
      this.#bodies.take(bytes);
      held += bytes;
    });
  }

  async #watch(request: ResourceRequest, response: ServerResponse): Promise<void> {
    const { view } = formOf(request.accept);
    const show = await eventView(request.definition, view, includeOf(view, request.query));
    const start = await watch(this.#parts.context, request).catch(expiredWatch);
    setWarnings(response, request.warnings);
    response.writeHead(200, {
      "content-type": view === "plain" ? "application/json" : "application/json;stream=watch",
      "cache-control": "no-cache, private",
    });
    response.flushHeaders();
    const sink = new WatchResponse(response, show, response.socket);
    start(sink);
    sink.started();
  }

  /** One event a message, in text whatever the subprotocol, as Kubernetes' watches over WebSockets are. */
  async #watchMessages(request: ResourceRequest, upgrade: Upgrade): Promise<void> {
    const { view } = formOf(request.accept);
    const show = await eventView(request.definition, view, includeOf(view, request.query));
    const start = await watch(this.#parts.context, request).catch(expiredWatch);
    const { protocols } = upgrade;
    const webSocket = await upgrade.webSocket(request.signal, protocols.length > 0 ? protocols : [""]);
    if (!webSocket) return;
    const sink = new WatchResponse(messageWriter(webSocket), show);
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
    sendDocument(response, status.code, "application/json", JSON.stringify(status.status));
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

function sendPath(request: IncomingMessage, response: ServerResponse, answer: PathAnswer): void {
  const etag = answer.headers?.["etag"];
  if (etag !== undefined && request.headers["if-none-match"] === etag) {
    response.writeHead(304, { "cache-control": "no-cache, private", ...answer.headers });
    response.end();
    return;
  }
  response.writeHead(answer.code, {
    "content-type": answer.contentType,
    "content-length": Buffer.byteLength(answer.body),
    "cache-control": "no-cache, private",
    ...answer.headers,
  });
  response.end(answer.body);
}

async function sendAnswer(response: ServerResponse, answer: Answer, request: ResourceRequest): Promise<void> {
  setWarnings(response, request.warnings);
  if (answer.type === "stream") {
    response.writeHead(answer.code, { "content-type": answer.contentType, "cache-control": "no-cache, private" });
    response.flushHeaders();
    return pipeline(answer.stream, response);
  }
  const code = answer.type === "list" ? 200 : answer.code;
  const { view, notation } = formOf(request.accept);
  const json = await encodeAnswer(answer, request.definition, view, includeOf(view, request.query));
  sendDocument(response, code, ...(await inNotation(json, notation)));
}

function sendDocument(response: ServerResponse, code: number, contentType: string, text: string): void {
  response.writeHead(code, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-cache, private",
  });
  response.end(text);
}

/** Throws 400 for what a Table cannot include. */
function includeOf(view: View, query: URLSearchParams): IncludeObject {
  const value = (view === "table" && query.get("includeObject")) || "Metadata";
  if (value === "None" || value === "Object" || value === "Metadata") return value;
  const shown = JSON.stringify(value);
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${shown}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

function setWarnings(response: ServerResponse, warnings: string[]): void {
  if (warnings.length > 0) response.setHeader("warning", [...new Set(warnings)].map(warningHeader));
}

/** RFC 7234 section 5.5, code 299; what a header cannot carry becomes a question mark. */
function warningHeader(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
  return `299 - "${safe}"`;
}
