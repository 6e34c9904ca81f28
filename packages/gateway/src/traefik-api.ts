// The HTTP server of the internal entrypoints: Traefik's API (read-only), the dashboard, ping and metrics. It runs beside
// the proxy, which reaches it like any backend.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { ProxyStats } from "@gatehouse/proxy/stats";
import { renderMetrics } from "./prometheus.ts";
import { serveStaticFile } from "./static-files.ts";
import type { StaticConfiguration } from "./static-configuration.ts";
import type { TraefikView } from "./traefik-view.ts";

/** What the server tells of, asked anew for each request. */
export interface TraefikApiSource {
  configuration: StaticConfiguration;
  version: string;
  startDate: Date;
  /** Undefined until the first translation. */
  view(): TraefikView | undefined;
  stats(): ProxyStats | Promise<ProxyStats>;
  isReady(): boolean;
  /** Where an entrypoint really listens, `host:port`. */
  addressesOf: (entryPoint: string) => string[];
  /** The built dashboard: index.html, app.js, style.css. */
  dashboardDirectory: string;
}

/** Which parts one entrypoint serves. */
export interface InternalParts {
  api: boolean;
  ping: boolean;
  metrics: boolean;
}

/** Not listening yet. */
export function createTraefikApi(source: TraefikApiSource, parts: InternalParts): Server {
  // Imported as a module, node:http would evaluate all its exports, which costs start-up time and memory.
  const { createServer } = process.getBuiltinModule("node:http");
  return createServer({ keepAliveTimeout: 95_000 }, (request, response) => {
    const url = URL.parse(request.url ?? "/", "http://gateway.invalid");
    if (!url) return sendError(response, 400, "the request target is not a path");
    answer(source, parts, request, response, url).catch(() => response.destroy());
  });
}

async function answer(
  source: TraefikApiSource,
  parts: InternalParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  request.resume();
  const { pathname } = url;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return sendText(response, 405, "Method Not Allowed", { allow: "GET, HEAD" });
  }
  if (parts.ping && pathname === "/ping") {
    const ready = source.isReady();
    return sendText(response, ready ? 200 : 503, ready ? "OK" : "Service Unavailable");
  }
  if (parts.metrics && pathname === "/metrics")
    return sendText(response, 200, renderMetrics(await source.stats()), metricsType);
  if (parts.api && pathname.startsWith("/api/")) return answerApi(source, response, url);
  if (parts.api && source.configuration.api.dashboard) {
    if (pathname === "/") return redirect(response, 301, `${originOf(request)}/dashboard/`);
    if (pathname === "/dashboard") return redirect(response, 302, "/dashboard/");
    if (pathname.startsWith("/dashboard/")) {
      const file = pathname.slice("/dashboard/".length) || "index.html";
      if (await serveStaticFile(response, source.dashboardDirectory, file)) return;
    }
  }
  sendText(response, 404, "404 page not found\n");
}

const metricsType = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

function answerApi(source: TraefikApiSource, response: ServerResponse, url: URL): void {
  const segments = url.pathname.split("/").slice(2).map(decode);
  if (segments.includes(undefined)) return sendError(response, 400, "the path is not percent-encoded UTF-8");
  const [first, second, third, ...more] = segments as string[];
  const view = source.view() ?? emptyView;
  const list = more.length === 0 ? listOf(view, first, second) : undefined;
  if (list) return third === undefined ? sendList(response, list, url) : sendOne(response, list, third, second ?? "");
  if (first === "entrypoints" && third === undefined) {
    const all = source.configuration.entryPoints.map((each) => describeEntryPoint(source, each));
    return second === undefined ? sendList(response, all, url) : sendOne(response, all, second, "entry point");
  }
  if (second !== undefined) return sendError(response, 404, "not found");
  if (first === "version") return sendJson(response, 200, versionOf(source));
  if (first === "overview") return sendJson(response, 200, overviewOf(source, view));
  if (first === "rawdata") return sendJson(response, 200, rawData(view));
  sendError(response, 404, "not found");
}

const emptyView: TraefikView = {
  http: { routers: [], services: [], middlewares: [] },
  tcp: { routers: [], services: [], middlewares: [] },
  udp: { routers: [], services: [] },
};

/** What stands at /api/`protocol`/`name`. */
function listOf(view: TraefikView, protocol = "", name = ""): readonly { name: string }[] | undefined {
  const lists = Object.hasOwn(view, protocol) ? view[protocol as keyof TraefikView] : {};
  return Object.hasOwn(lists, name) ? (lists as Record<string, readonly { name: string }[]>)[name] : undefined;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function versionOf({ version, startDate }: TraefikApiSource) {
  return { Version: version, Codename: "gatehouse", startDate: startDate.toISOString(), disableDashboardAd: true };
}

function describeEntryPoint(
  { addressesOf }: TraefikApiSource,
  { name, host, port, udp, trustedIPs }: StaticConfiguration["entryPoints"][number],
) {
  return {
    name,
    address: `${host}:${port}/${udp ? "udp" : "tcp"}`,
    forwardedHeaders: trustedIPs.length > 0 ? { trustedIPs } : {},
    http: {},
    gatehouse: { addresses: addressesOf(name) },
  };
}

function overviewOf({ configuration }: TraefikApiSource, view: TraefikView) {
  return {
    http: countsOf(view.http),
    tcp: countsOf(view.tcp),
    udp: countsOf(view.udp),
    features: {
      tracing: "",
      metrics: configuration.prometheus ? "Prometheus" : "",
      accessLog: configuration.accessLog !== undefined,
    },
    providers: configuration.kubernetesGateway.enabled ? ["KubernetesGateway"] : [],
  };
}

function countsOf(lists: TraefikView[keyof TraefikView]) {
  const section = (items: readonly { status: string }[]) => ({
    total: items.length,
    warnings: items.filter(({ status }) => status === "warning").length,
    errors: items.filter(({ status }) => status === "disabled").length,
  });
  return Object.fromEntries(Object.entries(lists).map(([name, items]) => [name, section(items)]));
}

/** Everything by name; Traefik leaves out what is empty, save for HTTP. */
function rawData({ http, tcp, udp }: TraefikView) {
  const byName = (items: readonly { name: string; provider: string }[]) =>
    Object.fromEntries(items.map((item) => [item.name, { ...item, name: undefined, provider: undefined }]));
  const unlessEmpty = (key: string, items: readonly { name: string; provider: string }[]) =>
    items.length > 0 ? { [key]: byName(items) } : {};
  return {
    routers: byName(http.routers),
    services: byName(http.services),
    middlewares: byName(http.middlewares),
    ...unlessEmpty("tcpRouters", tcp.routers),
    ...unlessEmpty("tcpServices", tcp.services),
    ...unlessEmpty("udpRouters", udp.routers),
    ...unlessEmpty("udpServices", udp.services),
  };
}

/** `search` and `status` filter; `page` and `per_page` cut; X-Next-Page is 1 on the last page, as in Traefik. */
function sendList(response: ServerResponse, items: readonly { name: string }[], url: URL): void {
  const search = url.searchParams.get("search")?.toLowerCase() ?? "";
  const status = url.searchParams.get("status") ?? "";
  const kept = items.filter((item) => {
    const { status: own = "", rule = "" } = item as { status?: string; rule?: string };
    const found = item.name.toLowerCase().includes(search) || rule.toLowerCase().includes(search);
    return found && (status === "" || own === status);
  });
  const page = Number(url.searchParams.get("page") ?? 1);
  const perPage = Number(url.searchParams.get("per_page") ?? 100);
  if (!(Number.isInteger(page) && page > 0 && Number.isInteger(perPage) && perPage > 0)) {
    return sendError(response, 400, "page and per_page must be whole numbers above 0");
  }
  const start = (page - 1) * perPage;
  if (start > 0 && start >= kept.length) {
    return sendError(response, 400, `invalid request: page: ${page}, per_page: ${perPage}`);
  }
  const next = start + perPage < kept.length ? page + 1 : 1;
  sendJson(response, 200, kept.slice(start, start + perPage), { "x-next-page": String(next) });
}

function sendOne(response: ServerResponse, items: readonly { name: string }[], name: string, kind: string): void {
  const item = items.find((each) => each.name === name);
  if (item) sendJson(response, 200, item);
  else sendError(response, 404, `${kind.replace(/s$/, "")} not found: ${name}`);
}

const baseHeaders = { "x-content-type-options": "nosniff", "cache-control": "no-store" };

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...baseHeaders, "content-type": "application/json", ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

function sendError(response: ServerResponse, status: number, message: string): void {
  sendJson(response, status, { message });
}

function sendText(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...baseHeaders, "content-type": "text/plain; charset=utf-8", ...headers });
  response.end(body);
}

/** As Traefik's own redirect has it: absolute, by the Host of the request where that is a name or an address. */
function originOf({ headers }: IncomingMessage): string {
  const host = headers.host ?? "";
  return /^(\[[\w:.]+\]|[\w.-]+)(:\d+)?$/.test(host) ? `http://${host}` : "";
}

function redirect(response: ServerResponse, status: 301 | 302, location: string): void {
  response.writeHead(status, { ...baseHeaders, location });
  response.end();
}
