// The Gateway API conformance suite's echo server (echo-basic; the HTTP part of echo-advanced): answers with the
// request as JSON, so that a test can see what a gateway did to it.

import type { IncomingMessage, ServerResponse } from "node:http";
import { parseGoDuration } from "@gatehouse/apimachinery/duration";
import { print, printError, serveContainer } from "./container-main.ts";
import { goHeader, goJson, queryOf, remoteAddress, sortedHeader } from "./go-http.ts";

const { env } = process;

for (const mode of ["GRPC_ECHO_SERVER", "TCP_ECHO_SERVER", "UDP_ECHO_SERVER"]) {
  if (!env[mode]) continue;
  printError(`${mode} is not supported yet: this built-in image plays the HTTP echo server only`);
  process.exit(1);
}

const httpPort = env.HTTP_PORT || "3000";
const identity = {
  namespace: env.NAMESPACE ?? "",
  ingress: env.INGRESS_NAME ?? "",
  service: env.SERVICE_NAME ?? "",
  pod: env.POD_NAME ?? "",
};
const retryAttempts = new Map<string, number>();

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  print(`Echoing back request made to ${request.url} to client (${remoteAddress(request)})`);
  if (!(await delay(request, response, "delay"))) return;
  const header = goHeader(request);
  const body = goJson(
    {
      path: request.url ?? "/",
      host: request.headers.host ?? "",
      method: request.method ?? "GET",
      proto: `HTTP/${request.httpVersion}`,
      headers: sortedHeader(header),
      httpPort,
      ...identity,
    },
    " ",
  );
  for (const [name, value] of askedHeaders(header.get("X-Echo-Set-Header") ?? [])) response.setHeader(name, value);
  send(response, 200, body, "application/json");
}

function send(response: ServerResponse, status: number, body: string, contentType?: string): void {
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
async function delay(request: IncomingMessage, response: ServerResponse, key: string): Promise<boolean> {
  const text = queryOf(request).get(key);
  if (!text) return true;
  const milliseconds = parseGoDuration(text);
  if (milliseconds === undefined) {
    send(response, 500, goJson({ message: `time: invalid duration ${JSON.stringify(text)}` }), "application/json");
    return false;
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
  return true;
}

/** A flaky backend: fails `succeedAfter` times per `uuid` (reset, or `responseCode`), then echoes. */
async function retry(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
  else request.socket.resetAndDestroy();
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const path = (request.url ?? "/").split("?", 1)[0]?.replaceAll("//", "/") ?? "/";
  if (path === "/health") return send(response, 200, "OK");
  if (path.startsWith("/status/")) {
    return send(response, Number(/^\/status\/([2-5]\d\d)$/.exec(request.url ?? "")?.[1] ?? 400), "");
  }
  if (path === "/ws") return send(response, 400, "");
  const handler = path.startsWith("/retry/") ? retry : echo;
  void handler(request, response).catch(() => response.destroy());
}

await serveContainer(
  [
    {
      port: Number(httpPort),
      handler: handle,
      upgrade: {
        path: "/ws",
        listener: (request, socket, head) => {
          // Loaded at the first upgrade: most pods never see one.
          void import("./websocket-echo.ts").then(({ echoWebSocket }) => echoWebSocket(request, socket, head));
        },
      },
    },
  ],
  () => print(`Starting server, listening on port ${httpPort} (http)`),
);
