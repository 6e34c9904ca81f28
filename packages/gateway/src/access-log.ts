// Access log lines as Traefik writes them: its common format, the generic one, JSON.

import type { AccessRecord } from "@gatehouse/proxy/access";
import { bytesOf } from "@gatehouse/proxy/line-buffer";
import type { LineBuffer } from "@gatehouse/proxy/line-buffer";
import type { AccessLogConfiguration } from "./static-configuration.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Adds one line with its end, or nothing when a filter keeps the request out, or it is none: Traefik writes no lines for
 * connections that it carries as they are. `router` is the name of the router that took the request, empty for none. */
export function addAccessLine(
  out: LineBuffer,
  record: AccessRecord,
  { format, filters, fields }: AccessLogConfiguration,
  router: string,
): void {
  if (record.bytesReceived !== undefined || !isWanted(record, filters)) return;
  if (format === "json") out.addUtf8(`${JSON.stringify(jsonFields(record, fields, router))}\n`);
  else addCommon(out, record, format === "common" ? router : null);
}

/** Traefik's common format; with null, without what is its own, the generic one. */
function addCommon(out: LineBuffer, record: AccessRecord, router: string | null): void {
  const { method, target, protocol, referer, userAgent, endpoint, clientAddress } = record;
  // Names that the API server has checked, and addresses: nothing there needs escaping.
  const sent = method.length + target.length + protocol.length + referer.length + userAgent.length;
  out.reserve(FIXED_BYTES + clientAddress.length + (router ?? "").length + endpoint.length + sent * 4);
  addRequest(out, record);
  out.addNumber(record.status);
  out.addText(" ");
  out.addNumber(record.bytes);
  addClient(out, record);
  if (router === null) return out.addText("\n");
  out.addText(" ");
  out.addNumber(record.requestCount);
  addRouting(out, router, endpoint);
  out.addNumber(Math.trunc(record.duration));
  out.addText("ms\n");
}

/** More than what a line has beside names, addresses and what the client sent. */
const FIXED_BYTES = 256;

// Consecutive requests mostly have much in common: a part of a line that is the same twice in a row is kept as bytes, as then it
// comes more often.

let lastRequest = { address: "", second: -1, method: "", target: "", protocol: "" };
let requestPart: Uint8Array | null = null;

function addRequest(out: LineBuffer, { clientAddress: address, time, method, target, protocol }: AccessRecord): void {
  const second = Math.trunc(time / 1000);
  const last = lastRequest;
  const same =
    last.second === second &&
    last.target === target &&
    last.address === address &&
    last.method === method &&
    last.protocol === protocol;
  if (same && requestPart !== null) return out.addBytes(requestPart);
  const start = out.used;
  out.addBytes(clientPart(address, second));
  out.addText(method || "-");
  out.addText(" ");
  out.addEscaped(target || "-");
  out.addText(" ");
  out.addText(protocol || "-");
  out.addText('" ');
  requestPart = same ? out.since(start) : null;
  lastRequest = { address, second, method, target, protocol };
}

let lastAddress = "";
let lastSecond = -1;
let lastClient: Uint8Array = new Uint8Array();

function clientPart(address: string, second: number): Uint8Array {
  if (second !== lastSecond || address !== lastAddress) {
    lastSecond = second;
    lastAddress = address;
    lastClient = bytesOf(`${address} - - [${commonTime(second * 1000)}] "`);
  }
  return lastClient;
}

let lastReferer = "";
let lastUserAgent = "";
let agentPart: Uint8Array | null = null;

/** What it says of itself. */
function addClient(out: LineBuffer, { referer, userAgent }: AccessRecord): void {
  const same = userAgent === lastUserAgent && referer === lastReferer;
  if (same && agentPart !== null) return out.addBytes(agentPart);
  const start = out.used;
  out.addText(' "');
  out.addEscaped(referer || "-");
  out.addText('" "');
  out.addEscaped(userAgent || "-");
  out.addText('"');
  agentPart = same ? out.since(start) : null;
  lastUserAgent = userAgent;
  lastReferer = referer;
}

let lastRouter = "";
let lastEndpoint = "";
let routingPart: Uint8Array | null = null;

function addRouting(out: LineBuffer, router: string, endpoint: string): void {
  const same = endpoint === lastEndpoint && router === lastRouter;
  if (same && routingPart !== null) return out.addBytes(routingPart);
  const start = out.used;
  out.addText(' "');
  out.addText(router || "-");
  out.addText(endpoint ? '" "http://' : '" "-');
  out.addText(endpoint);
  out.addText('" ');
  routingPart = same ? out.since(start) : null;
  lastRouter = router;
  lastEndpoint = endpoint;
}

/** Each filter lets through; without any, all pass (Traefik: accessLog.filters). */
function isWanted({ status, duration, retries }: AccessRecord, filters: AccessLogConfiguration["filters"]): boolean {
  const { statusCodes, minDurationMs, retryAttempts } = filters;
  if (statusCodes.length === 0 && minDurationMs === undefined && !retryAttempts) return true;
  return (
    statusCodes.some(([from, to]) => status >= from && status <= to) ||
    (minDurationMs !== undefined && duration >= minDurationMs) ||
    (retryAttempts && retries > 0)
  );
}

/** `02/Jan/2006:15:04:05 +0000`, UTC. */
function commonTime(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

function jsonFields(
  record: AccessRecord,
  { defaultMode, names }: AccessLogConfiguration["fields"],
  router: string,
): Record<string, unknown> {
  const [requestHost = "", requestPort = ""] = splitHost(record.host);
  const all: Record<string, unknown> = {
    ClientAddr: `${record.clientAddress}:${record.clientPort}`,
    ClientHost: record.clientAddress,
    ClientPort: String(record.clientPort),
    ClientUsername: "-",
    DownstreamContentSize: record.bytes,
    DownstreamStatus: record.status,
    Duration: Math.round(record.duration * 1e6),
    RequestAddr: record.host,
    RequestCount: record.requestCount,
    RequestHost: requestHost,
    RequestMethod: record.method,
    RequestPath: record.target,
    RequestPort: requestPort || "-",
    RequestProtocol: record.protocol,
    RetryAttempts: record.retries,
    RouterName: router,
    ServiceAddr: record.endpoint,
    ServiceName: record.service,
    ServiceURL: record.endpoint && `http://${record.endpoint}`,
    StartUTC: new Date(record.time).toISOString(),
    entryPointName: record.listener,
    "request_User-Agent": record.userAgent,
    ...(record.referer ? { request_Referer: record.referer } : {}),
    ...(record.reason ? { Reason: record.reason } : {}),
  };
  const kept = Object.entries(all).flatMap(([name, value]): [string, unknown][] => {
    const mode = names.get(name.toLowerCase()) ?? defaultMode.toLowerCase();
    return mode === "drop" || value === "" ? [] : [[name, mode === "redact" ? "REDACTED" : value]];
  });
  return { ...Object.fromEntries(kept), level: "info", msg: "", time: new Date(record.time).toISOString() };
}

function splitHost(host: string): string[] {
  const found = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host);
  return found ? [found[1] ?? "", found[2] ?? ""] : [host, ""];
}
