// Writes the heads that leave the proxy. Kept field lines are copied as ranges of the text that came in; what concerns
// one connection only (RFC 9110 section 7.6.1) never travels on.

import type { HeaderEdits } from "../filters.ts";
import type { OwnAnswer } from "../own-answer.ts";
import type { OutgoingRequest } from "../upstream/upstream.ts";
import { latin1Copy } from "../io/latin1.ts";
import type { FieldLines } from "./field-lines.ts";
import type { KnownFields } from "./request-fields.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";
import { FieldId } from "./tokens.ts";

const idSet = (...ids: number[]): Uint8Array => {
  const set = new Uint8Array(32);
  for (const id of ids) set[id] = 1;
  return set;
};

const HOP_BY_HOP = [
  FieldId.connection,
  FieldId.transferEncoding,
  FieldId.te,
  FieldId.upgrade,
  FieldId.keepAlive,
  FieldId.proxyConnection,
  // Meant for the next proxy, which we are (RFC 9110 section 11.7; dropped by Go's ReverseProxy too).
  FieldId.proxyAuthorization,
  FieldId.proxyAuthenticate,
  FieldId.http2Settings,
];
const FORWARDING = [
  FieldId.xRealIp,
  FieldId.xForwardedFor,
  FieldId.xForwardedHost,
  FieldId.xForwardedProto,
  FieldId.xForwardedPort,
  FieldId.xForwardedServer,
];
const REQUEST_DROPS_TRUSTED = idSet(...HOP_BY_HOP, ...FORWARDING, FieldId.host);
const REQUEST_DROPS = idSet(...HOP_BY_HOP, ...FORWARDING, FieldId.host, FieldId.forwarded);
const RESPONSE_DROPS = idSet(...HOP_BY_HOP);
const RESPONSE_DROPS_LENGTH = idSet(...HOP_BY_HOP, FieldId.contentLength);

/** Connection must not name fields that route or frame the message; such members are ignored. */
const NOT_OPTIONS = new Set(["host", "content-length", "transfer-encoding", "cookie", "authorization"]);

/** Copies the lines whose id and name are not dropped, joining neighbours into one range. `keptFrom`: where the text before the first
 * line that goes with it begins, -1 for none. */
function copyLines(
  lines: FieldLines,
  dropIds: Uint8Array,
  dropNames: ReadonlySet<string> | null,
  dropClaims: boolean,
  keptFrom = -1,
): string {
  let out = "";
  for (let index = 0; index < lines.count; index++) {
    const drop =
      dropIds[lines.ids[index]!] !== 0 ||
      (dropNames !== null && dropNames.has(lines.name(index).toLowerCase())) ||
      (dropClaims && isForwardingClaim(lines, index));
    if (!drop) {
      if (keptFrom < 0) keptFrom = lines.lineStart(index);
    } else if (keptFrom >= 0) {
      out += lines.text.slice(keptFrom, lines.lineStart(index));
      keptFrom = -1;
    }
  }
  return keptFrom < 0 ? out : out + lines.text.slice(keptFrom, lines.end);
}

/** Any other X-Forwarded-* name, and spellings with `_` that CGI-like backends read as the same name. */
function isForwardingClaim(lines: FieldLines, index: number): boolean {
  const first = lines.text.charCodeAt(lines.lineStart(index)) | 32;
  if (lines.ids[index] !== FieldId.other || (first !== 120 && first !== 102)) return false;
  const name = lines.name(index).toLowerCase().replaceAll("_", "-");
  return name.startsWith("x-forwarded-") || name === "x-real-ip" || name === "forwarded";
}

function namesToDrop(options: string[] | null, edits: HeaderEdits | null): ReadonlySet<string> | null {
  if (options === null) return edits === null || edits.drop.size === 0 ? null : edits.drop;
  return new Set([...options.filter((option) => !NOT_OPTIONS.has(option)), ...(edits?.drop ?? [])]);
}

/** Lines of `text` whose lower-case names are not dropped: edits may also take away what the proxy adds itself. */
export function withoutNames(text: string, names: ReadonlySet<string>): string {
  if (names.size === 0) return text;
  return text.replace(/([^:]+):[^\n]*\n/g, (line, name: string) => (names.has(name.toLowerCase()) ? "" : line));
}

export interface RequestEdits {
  edits: HeaderEdits | null;
  /** Lines of forwarding-fields.ts. */
  forwarding: string;
  /** The client is believed: unknown X-Forwarded-* and Forwarded stay. */
  trusted: boolean;
}

/** The field lines of a request that travel on, Host and framing aside (Content-Length stays). */
export function endToEndLines(head: RequestHead, { edits, forwarding, trusted }: RequestEdits): string {
  const known = edits === null && !trusted ? head.knownFields : null;
  if (known !== null && known.forwarding === forwarding && known.lines !== null) return known.lines;
  const names = namesToDrop(head.connectionOptions, edits);
  const ids = trusted ? REQUEST_DROPS_TRUSTED : REQUEST_DROPS;
  const kept = copyLines(head, ids, names, !trusted);
  if (edits !== null) return kept + withoutNames(forwarding, edits.drop) + edits.append;
  if (known !== null) keepLines(known, kept + forwarding, forwarding);
  return kept + forwarding;
}

/** Clients at several addresses may send the same fields: only what is asked for twice in a row is kept. */
function keepLines(known: KnownFields, lines: string, forwarding: string): void {
  known.lines = known.forwarding === forwarding ? latin1Copy(lines) : null;
  known.forwarding = forwarding;
}

/** Head of the request to the backend in HTTP/1.1. */
export function requestHeadText(request: OutgoingRequest): string {
  if (request.text !== null) return request.text;
  const { method, target, host } = request;
  let text = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${request.lines}`;
  if (request.upgrade !== "") text += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  else if (request.acceptsTrailers) text += "Connection: TE\r\nTE: trailers\r\n";
  if (request.chunked) text += "Transfer-Encoding: chunked\r\n";
  return text + "\r\n";
}

/** The field lines of a backend's answer that travel on, framing aside (Content-Length stays where it may be). `from` as of
 * `copyLines`. */
export function endToEndResponseLines(head: ResponseHead, edits: HeaderEdits | null, from = -1): string {
  // RFC 9110 section 8.6: no Content-Length in 1xx and 204.
  const noLength = head.dropLength || head.status < 200 || head.status === 204;
  const names = namesToDrop(head.connectionOptions, edits);
  return copyLines(head, noLength ? RESPONSE_DROPS_LENGTH : RESPONSE_DROPS, names, false, from);
}

/** Head of a backend's answer to the client. `connection` is a value for Connection or empty. */
export function responseHeadText(
  head: ResponseHead,
  edits: HeaderEdits | null,
  chunked: boolean,
  connection: string,
): string {
  const known = edits === null && !chunked && connection === "" ? head.known : null;
  if (known === null) return writtenResponseHead(head, edits, chunked, connection);
  if (known.passedOn === "") known.passedOn = latin1Copy(writtenResponseHead(head, null, false, ""));
  return known.passedOn;
}

function writtenResponseHead(
  head: ResponseHead,
  edits: HeaderEdits | null,
  chunked: boolean,
  connection: string,
): string {
  let text = head.plainStart
    ? endToEndResponseLines(head, edits, 0)
    : `HTTP/1.1 ${head.status} ${head.phrase}\r\n${endToEndResponseLines(head, edits)}`;
  if (head.status === 101) text += `Upgrade: ${head.getById(FieldId.upgrade) ?? ""}\r\n`;
  if (chunked) text += "Transfer-Encoding: chunked\r\n";
  if (connection !== "") text += `Connection: ${connection}\r\n`;
  if (edits !== null) text += edits.append;
  return text + "\r\n";
}

/** For the statuses the proxy answers itself (RFC 9110 section 15). */
const PHRASES: Record<number, string> = {
  200: "OK",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** Body of an answer of the proxy's own, Latin-1: what Traefik says for 404, nothing for redirects. */
export function ownBody({ status, reason, body }: OwnAnswer): string {
  if (status < 200 || status === 204 || status === 304) return "";
  if (body !== undefined) return body;
  if (status === 404) return "404 page not found\n";
  if (status >= 300 && status < 400) return "";
  return Buffer.from(`${status} ${PHRASES[status] ?? "Unknown"}: ${reason}\n`).toString("latin1");
}

let dateSecond = 0;
let dateText = "";

/** Current time as an HTTP date, formatted once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

/** The field lines of an answer of the proxy's own. `body` is from `ownBody`. */
export function ownFieldLines(own: OwnAnswer, body: string): string {
  const { status } = own;
  const type = body === "" ? "" : `Content-Type: ${own.contentType ?? "text/plain; charset=utf-8"}\r\n`;
  const sniff = body === "" || own.contentType !== undefined ? "" : "X-Content-Type-Options: nosniff\r\n";
  const length = status === 204 || status === 304 ? "" : `Content-Length: ${body.length}\r\n`;
  return `${type}${sniff}${own.lines}Date: ${httpDate()}\r\n${length}`;
}

/** A complete answer of the proxy's own. `body` is from `ownBody`, `connection` a value for Connection or empty. */
export function ownAnswerText(own: OwnAnswer, body: string, connection: string, toHead: boolean): string {
  const { status } = own;
  const head = `HTTP/1.1 ${status} ${PHRASES[status] ?? "Unknown"}\r\n${ownFieldLines(own, body)}`;
  const end = connection === "" ? "\r\n" : `Connection: ${connection}\r\n\r\n`;
  return toHead ? head + end : head + end + body;
}
