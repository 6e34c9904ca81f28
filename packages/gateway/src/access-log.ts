// Access log lines as Traefik writes them: its common format, the generic one, JSON.

import type { AccessRecord } from "@gatehouse/proxy/access";
import { bytesOf } from "@gatehouse/proxy/line-buffer";
import type { LineBuffer } from "@gatehouse/proxy/line-buffer";
import type { AccessLogConfiguration } from "./static-configuration.ts";
import type { RouterNames } from "./traefik-names.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Adds one line with its end, or nothing when a filter keeps the request out, or it is none: Traefik writes no lines for
 * connections that it carries as they are. */
export function addAccessLine(
  out: LineBuffer,
  record: AccessRecord,
  { format, filters, fields }: AccessLogConfiguration,
  routerOf: RouterNames,
): void {
  if (record.bytesReceived !== undefined || !isWanted(record, filters)) return;
  if (format === "json") out.addUtf8(`${JSON.stringify(jsonFields(record, fields, routerOf))}\n`);
  else addCommon(out, record, format === "common" ? routerOf : null);
}

/** Traefik's common format; without router names, which are its own, the generic one. */
function addCommon(out: LineBuffer, record: AccessRecord, routerOf: RouterNames | null): void {
  const { method, target, protocol, referer, userAgent, endpoint } = record;
  // Names that the API server has checked, and addresses: nothing there needs escaping.
  const router = routerOf === null ? "" : routerOf(record.listener, record.route) || "-";
  const start = client(record);
  const sent = method.length + target.length + referer.length + userAgent.length;
  out.reserve(FIXED_BYTES + start.length + router.length + endpoint.length + sent * 4);
  out.addBytes(start);
  out.addText(method || "-");
  out.addText(" ");
  out.addEscaped(target || "-");
  out.addText(" ");
  out.addText(protocol || "-");
  out.addText('" ');
  out.addNumber(record.status);
  out.addText(" ");
  out.addNumber(record.bytes);
  out.addText(' "');
  out.addEscaped(referer || "-");
  out.addText('" "');
  out.addEscaped(userAgent || "-");
  if (routerOf === null) return out.addText('"\n');
  out.addText('" ');
  out.addNumber(record.requestCount);
  addRouting(out, router, endpoint);
  out.addNumber(Math.trunc(record.duration));
  out.addText("ms\n");
}

/** More than what a line has beside names, addresses and what the client sent. */
const FIXED_BYTES = 256;

// Consecutive requests mostly come from the same client in the same second: what they share of their lines is kept.
let lastAddress = "";
let lastSecond = -1;
let lastClient: Uint8Array = new Uint8Array();

function client({ clientAddress, time }: AccessRecord): Uint8Array {
  const second = Math.trunc(time / 1000);
  if (second !== lastSecond || clientAddress !== lastAddress) {
    lastSecond = second;
    lastAddress = clientAddress;
    lastClient = bytesOf(`${clientAddress} - - [${commonTime(time)}] "`);
  }
  return lastClient;
}

let lastRouter = "";
let lastEndpoint = "";
/** Made when the same comes twice in a row, as then it comes more often. */
let lastRouting: Uint8Array | undefined;

function addRouting(out: LineBuffer, router: string, endpoint: string): void {
  if (router === lastRouter && endpoint === lastEndpoint) {
    lastRouting ??= bytesOf(` "${router}" "${endpoint ? `http://${endpoint}` : "-"}" `);
    return out.addBytes(lastRouting);
  }
  lastRouter = router;
  lastEndpoint = endpoint;
  lastRouting = undefined;
  out.addText(' "');
  out.addText(router);
  out.addText(endpoint ? '" "http://' : '" "-');
  out.addText(endpoint);
  out.addText('" ');
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
  routerOf: RouterNames,
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
    RouterName: routerOf(record.listener, record.route),
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
