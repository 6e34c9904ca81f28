// The echo server's HTTP mode: plain, h2c and HTTPS. Answers with the request as JSON, so that a test can see what a gateway
// did to it.

import { parseGoDuration } from "@gatehouse/apimachinery/duration";
import { print, serveContainer } from "./container-main.ts";
import type { EchoIdentity } from "./echo-identity.ts";
import { goHeader, goHost, goJson, queryOf, remoteAddress, sortedHeader } from "./go-http.ts";
import { type HttpRequest, type HttpResponse, httpServer, type Upgrade } from "./http-server.ts";
import type { TlsFiles } from "./stream-server.ts";
import { tlsFacts } from "./tls-facts.ts";

export interface HttpEchoOptions {
  identity: EchoIdentity;
  httpPort: number;
  h2cPort: number;
  httpsPort: number;
  tls: TlsFiles | undefined;
}

type Handler = (request: HttpRequest, response: HttpResponse) => Promise<void>;

export async function runHttpEcho({ identity, httpPort, h2cPort, httpsPort, tls }: HttpEchoOptions): Promise<void> {
  const context = { httpPort: String(httpPort), ...identity };
  const echo: Handler = (request, response) => echoRequest(request, response, context);
  const handler = (request: HttpRequest, response: HttpResponse): void => answer(request, response, echo);
  const onlyHttp2 = (request: HttpRequest, response: HttpResponse): void => {
    request.resume();
    if (request.httpVersionMajor === 2) run(echo, request, response);
    else send(response, 400, "Expected h2c request");
  };
  const servers = [
    httpServer({ port: httpPort, handler, upgrade }),
    httpServer({ port: h2cPort, handler: onlyHttp2, http2: true }),
    ...(tls ? [httpServer({ port: httpsPort, handler, upgrade, tls, http2: true })] : []),
  ];
  await serveContainer(servers, () => {
    print(`Starting server, listening on port ${httpPort} (http)`);
    print(`Starting server, listening on port ${h2cPort} (h2c)`);
    if (tls) print(`Starting server, listening on port ${httpsPort} (https)`);
  });
}

const upgrade: Upgrade = {
  path: "/ws",
  listener: (request, socket, head) => {
    print(`established websocket connection ${remoteAddress(request)}`);
    // Loaded at the first upgrade: most pods never see one.
    void import("./websocket-echo.ts").then(({ echoWebSocket }) => echoWebSocket(request, socket, head));
  },
};

function answer(request: HttpRequest, response: HttpResponse, echo: Handler): void {
  request.resume();
  const target = request.url ?? "/";
  const path = target.split("?", 1)[0]?.replaceAll("//", "/") ?? "/";
  if (path === "/health") return send(response, 200, "OK");
  if (path.startsWith("/status/")) {
    return send(response, Number(/^\/status\/([2-5]\d\d)$/.exec(target)?.[1] ?? 400), "");
  }
  if (path === "/ws") return send(response, 400, "");
  run(path.startsWith("/retry/") ? () => retry(request, response, echo) : echo, request, response);
}

function run(handler: Handler, request: HttpRequest, response: HttpResponse): void {
  void handler(request, response).catch(() => response.destroy());
}

async function echoRequest(
  request: HttpRequest,
  response: HttpResponse,
  context: Record<string, string>,
): Promise<void> {
  print(`Echoing back request made to ${request.url} to client (${remoteAddress(request)})`);
  if (!(await delay(request, response, "delay"))) return;
  const header = goHeader(request);
  const assertions = {
    path: request.url ?? "/",
    host: goHost(request),
    method: request.method ?? "GET",
    proto: `HTTP/${request.httpVersion}`,
    headers: sortedHeader(header),
    ...context,
    ...tlsAssertions(request),
  };
  for (const [name, value] of askedHeaders(header.get("X-Echo-Set-Header") ?? [])) response.setHeader(name, value);
  send(response, 200, goJson(assertions, " "), "application/json");
}

function tlsAssertions({ socket }: HttpRequest): { tls?: Record<string, string | string[]> } {
  if (!("encrypted" in socket)) return {};
  const { version, peerCertificates, serverName, negotiatedProtocol, cipherSuite } = tlsFacts(socket);
  const tls = {
    version,
    ...(peerCertificates.length > 0 ? { peerCertificates } : {}),
    serverName,
    ...(negotiatedProtocol ? { negotiatedProtocol } : {}),
    cipherSuite,
  };
  return { tls };
}

function send(response: HttpResponse, status: number, body: string, contentType?: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", contentType ?? "text/plain; charset=utf-8");
  if (contentType === "application/json") response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}

/** `a:b,c:d` per value; a name that comes again is joined with a comma. The case of names is kept. */
function askedHeaders(lists: string[]): Map<string, string> {
  const asked = new Map<string, string>();
  for (const pair of lists.flatMap((list) => list.split(","))) {
    const colon = pair.indexOf(":");
    const name = (colon === -1 ? pair : pair.slice(0, colon)).trim();
    const value = colon === -1 ? "" : pair.slice(colon + 1).trim();
    if (name !== "") asked.set(name, asked.has(name) ? `${asked.get(name)},${value}` : value);
  }
  return asked;
}

/** Waits as the query asks; answers 500 and returns false when it asks for nonsense. */
async function delay(request: HttpRequest, response: HttpResponse, key: string): Promise<boolean> {
  const text = queryOf(request).get(key);
  if (!text) return true;
  const milliseconds = parseGoDuration(text);
  if (milliseconds === undefined) {
    sendError(response, `time: invalid duration ${JSON.stringify(text)}`);
    return false;
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
  return true;
}

function sendError(response: HttpResponse, message: string): void {
  send(response, 500, goJson({ message }), "application/json");
}

/** Failures so far, by uuid. */
const retryAttempts = new Map<string, number>();

/** A flaky backend: fails `succeedAfter` times per `uuid` (reset, or `responseCode`), then echoes. */
async function retry(request: HttpRequest, response: HttpResponse, echo: Handler): Promise<void> {
  const query = queryOf(request);
  const uuid = query.get("uuid");
  const succeedAfter = Number(query.get("succeedAfter") || "none");
  if (!uuid) return send(response, 400, "uuid is required");
  if (!Number.isInteger(succeedAfter)) return send(response, 400, "succeedAfter is required");
  const attempts = retryAttempts.get(uuid) ?? 0;
  if (attempts >= succeedAfter) return echo(request, response);
  retryAttempts.set(uuid, attempts + 1);
  if (!(await delay(request, response, "delayRetry"))) return;
  const responseCode = Number(query.get("responseCode") || "none");
  if (Number.isInteger(responseCode)) send(response, responseCode, "");
  // One stream of HTTP/2 has no connection of its own to reset.
  else if (request.httpVersionMajor === 2) sendError(response, "response writer does not support hijacking");
  else if ("encrypted" in request.socket) request.socket.destroy();
  else request.socket.resetAndDestroy();
}
