// Access log lines as Traefik writes them: its common format, the generic one, JSON.

import type { AccessRecord } from "@gatehouse/proxy/access";
import type { AccessLogConfiguration } from "./static-configuration.ts";
import type { RouterNames } from "./traefik-names.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** One line with its end, or undefined when a filter keeps the request out, or it is none: Traefik writes no lines for
 * connections that it carries as they are. */
export function formatAccess(
  record: AccessRecord,
  { format, filters, fields }: AccessLogConfiguration,
  routerOf: RouterNames,
): string | undefined {
  if (record.bytesReceived !== undefined || !isWanted(record, filters)) return undefined;
  if (format === "json") return `${JSON.stringify(jsonFields(record, fields, routerOf))}\n`;
  const generic =
    `${client(record)}"${record.method || "-"} ${plain(record.target)} ${record.protocol || "-"}" ${record.status} ` +
    `${record.bytes} ${quoted(record.referer)} ${quoted(record.userAgent)}`;
  if (format === "genericCLF") return `${generic}\n`;
  // Both are made of names that the API server has checked and of addresses: nothing there needs escaping.
  const router = routerOf(record.listener, record.route) || "-";
  const server = record.endpoint ? `http://${record.endpoint}` : "-";
  return `${generic} ${record.requestCount} "${router}" "${server}" ${Math.trunc(record.duration)}ms\n`;
}

// Consecutive requests mostly come from the same client in the same second: what they share of their lines is kept.
let lastAddress = "";
let lastSecond = -1;
let lastClient = "";

function client({ clientAddress, time }: AccessRecord): string {
  const second = Math.trunc(time / 1000);
  if (second !== lastSecond || clientAddress !== lastAddress) {
    lastSecond = second;
    lastAddress = clientAddress;
    lastClient = `${clientAddress} - - [${commonTime(time)}] `;
  }
  return lastClient;
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

// Control characters and quotes come from clients: escaped, so that no request can write a line of its own.
const UNSAFE = /["\\\p{Cc}\u2028\u2029]/u;
const escape = (text: string): string =>
  UNSAFE.test(text)
    ? text
        .replace(/["\\]/g, "\\$&")
        .replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`)
    : text;
const plain = (text: string): string => (text === "" ? "-" : escape(text));
const quoted = (text: string): string => (text === "" ? '"-"' : `"${escape(text)}"`);

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
