// The kubelet's own HTTPS API, for the API server only: container logs, the pods as seen here, and streaming into them.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Log } from "@gatehouse/apimachinery/log";
import { refuseUpgrade } from "@gatehouse/apimachinery/websocket-server";
import { type LogQuery, readLog } from "./logs/log-reader.ts";
import type { PodManager } from "./pods/pod-manager.ts";

export interface KubeletApiOptions {
  manager: () => PodManager;
  /** The bearer token of the API server. */
  token: string;
  log: Log;
}

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Answers in plain text, errors as well, as the kubelet of Kubernetes does. */
export function kubeletApi(options: KubeletApiOptions): RequestListener {
  const expected = digest(`Bearer ${options.token}`);
  return (request, response) => {
    const url = parseTarget(request.url ?? "/");
    if (!url) return answer(response, 400, "Bad Request");
    if (url.pathname === "/healthz") return answer(response, 200, "ok");
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected))
      return answer(response, 401, "Unauthorized");
    if (request.method !== "GET") return answer(response, 405, "Method Not Allowed");
    if (url.pathname === "/pods" || url.pathname === "/pods/") return sendPods(options.manager(), response);
    const [, route, namespace, pod, container, more] = url.pathname.split("/");
    if (route !== "containerLogs" || !namespace || !pod || !container || more !== undefined) {
      return answer(response, 404, "404 page not found");
    }
    sendLogs(options.manager(), { namespace, pod, container }, url.searchParams, request, response).catch(
      (error: unknown) => {
        options.log.warn(`log of ${namespace}/${pod}: ${(error as Error).message}`);
        response.destroy();
      },
    );
  };
}

/** The other half of the API: exec, attach and port-forward, which take their connection over. */
export function kubeletStreaming(options: KubeletApiOptions): UpgradeListener {
  const expected = digest(`Bearer ${options.token}`);
  return (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const url = parseTarget(request.url ?? "/");
    if (!url) return refuseUpgrade(socket, 400, "Bad Request");
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected))
      return refuseUpgrade(socket, 401, "Unauthorized");
    // Loaded when it is first needed: most clusters never see one.
    import("./streaming/streaming-api.ts")
      .then(({ serveStreaming }) => serveStreaming(options.manager(), url, { request, socket, head }, options.log))
      .catch((error: unknown) => {
        options.log.error("a stream failed", error);
        socket.destroy();
      });
  };
}

/** Undefined for what is no URL. Names of objects need no percent-encoding, so paths are taken as they are. */
function parseTarget(target: string): URL | undefined {
  return URL.canParse(target, "https://kubelet.invalid") ? new URL(target, "https://kubelet.invalid") : undefined;
}

/** Equal lengths, whatever was sent. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function answer(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function sendPods(manager: PodManager, response: ServerResponse): void {
  const list = { apiVersion: "v1", kind: "PodList", metadata: {}, items: manager.pods() };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(list));
}

interface LogSubject {
  namespace: string;
  pod: string;
  container: string;
}

async function sendLogs(
  manager: PodManager,
  { namespace, pod, container }: LogSubject,
  parameters: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const query = parseLogQuery(parameters);
  if (typeof query === "string") return answer(response, 400, query);
  const worker = manager.worker(namespace, pod);
  if (!worker) return answer(response, 404, `pod "${pod}" does not exist`);
  const logs = worker.logs(container);
  if (!logs) return answer(response, 404, `container "${container}" not found in pod "${pod}"`);
  if (query.previous && !logs.previous) {
    return answer(response, 400, `previous terminated container "${container}" in pod "${pod}" not found`);
  }
  // A pod that ended in an earlier life of the cluster has only the log it left.
  const kept = !logs.current && !query.previous && logs.previous !== undefined;
  if (!logs.current && !query.previous && !kept) {
    const waiting = `container "${container}" in pod "${pod}" is waiting to start: ${worker.waitingReason(container)}`;
    return answer(response, 400, waiting);
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  request.resume();
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.flushHeaders();
  for await (const text of readLog(logs, kept ? { ...query, previous: true } : query, gone.signal)) {
    if (gone.signal.aborted) return;
    if (!response.write(text)) await drained(response, gone.signal);
  }
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    response.once("drain", resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The query as PodLogOptions spells it, or what is wrong with it. */
function parseLogQuery(parameters: URLSearchParams): LogQuery | string {
  const query: LogQuery = {};
  for (const name of ["follow", "previous", "timestamps"] as const) query[name] = isTrue(parameters.get(name));
  for (const name of ["tailLines", "limitBytes"] as const) {
    const number = wholeNumber(parameters.get(name), name === "limitBytes" ? 1 : 0);
    if (number === "invalid") return `invalid ${name}: must be a whole number`;
    if (number !== undefined) query[name] = number;
  }
  const sinceSeconds = wholeNumber(parameters.get("sinceSeconds"), 1);
  const sinceTime = parameters.get("sinceTime");
  if (sinceSeconds === "invalid") return "invalid sinceSeconds: must be a positive whole number";
  if (sinceSeconds !== undefined && sinceTime) return "at most one of sinceTime or sinceSeconds may be specified";
  if (sinceSeconds !== undefined) query.since = Date.now() - sinceSeconds * 1000;
  if (sinceTime) {
    query.since = Date.parse(sinceTime);
    if (Number.isNaN(query.since)) return "invalid sinceTime: must be an RFC 3339 time";
  }
  return query;
}

/** Kubernetes reads any value but these as true, a bare parameter included. */
function isTrue(text: string | null): boolean {
  return text !== null && text !== "false" && text !== "0";
}

function wholeNumber(text: string | null, least: number): number | "invalid" | undefined {
  if (text === null || text === "") return undefined;
  return /^\d+$/.test(text) && Number(text) >= least ? Number(text) : "invalid";
}
