// Requests as Go's net/http sees and prints them: the built-in images answer byte for byte like the programs they play.

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

type HttpRequest = IncomingMessage | Http2ServerRequest;

/** Go's canonical header key: `x-forwarded-for` -> `X-Forwarded-For`; keys with odd characters stay as they are. */
function canonicalHeaderKey(key: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(key)) return key;
  return key.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** Go's `Request.Header`: canonical keys, every value in order, without Host, pseudo headers, and the framing Go consumes. */
export function goHeader(request: HttpRequest): Map<string, string[]> {
  const header = new Map<string, string[]>();
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const key = canonicalHeaderKey(request.rawHeaders[at] ?? "");
    if (key === "Host" || key === "Transfer-Encoding" || key === "Trailer" || key.startsWith(":")) continue;
    const values = header.get(key);
    if (values) values.push(request.rawHeaders[at + 1] ?? "");
    else header.set(key, [request.rawHeaders[at + 1] ?? ""]);
  }
  return header;
}

/** The header as Go marshals a map to JSON: sorted keys. */
export function sortedHeader(header: Map<string, string[]>): Record<string, string[]> {
  return Object.fromEntries([...header].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Go's `Request.Host`. */
export function goHost({ headers }: HttpRequest): string {
  const authority = headers[":authority"];
  return (typeof authority === "string" ? authority : headers.host) ?? "";
}

/** `127.30.1.4:40312`, `[::1]:40312`. */
export function remoteAddress(request: HttpRequest): string {
  const { remoteAddress: host = "", remotePort = 0 } = request.socket;
  return host.includes(":") ? `[${host}]:${remotePort}` : `${host}:${remotePort}`;
}

/** Go's `Request.RequestURI`, made relative: absolute-form targets (RFC 9112, 3.2.2) lose scheme and authority. */
export function requestURI(request: HttpRequest): string {
  const target = request.url ?? "/";
  return target.replace(/^https?:\/\/[^/?#]*(?=([/?#]|$))/i, "") || "/";
}

/** The query of the request. */
export function queryOf(request: HttpRequest): URLSearchParams {
  const target = requestURI(request);
  const question = target.indexOf("?");
  return new URLSearchParams(question === -1 ? "" : target.slice(question + 1));
}

/** What Go's `Request.Write` prints for a request it has received: head and body, as it would travel on. */
export function writeRequest(request: IncomingMessage, body: Buffer): Buffer {
  const header = goHeader(request);
  const chunked = /\bchunked\b/i.test(request.headers["transfer-encoding"] ?? "");
  const userAgent = header.has("User-Agent") ? header.get("User-Agent")?.[0] : "Go-http-client/1.1";
  const bodied = ["POST", "PUT", "PATCH"].includes(request.method ?? "GET");
  const lines = [
    `${request.method ?? "GET"} ${requestURI(request)} HTTP/1.1`,
    `Host: ${request.headers.host ?? ""}`,
    ...(userAgent ? [`User-Agent: ${userAgent}`] : []),
    ...(chunked ? ["Transfer-Encoding: chunked"] : []),
    ...(!chunked && (body.length > 0 || bodied) ? [`Content-Length: ${body.length}`] : []),
  ];
  for (const [key, values] of [...header].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (key === "User-Agent" || key === "Content-Length") continue;
    for (const value of values) lines.push(`${key}: ${value}`);
  }
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return Buffer.concat([head, chunked ? chunkedBody(body) : body]);
}

function chunkedBody(body: Buffer): Buffer {
  const last = Buffer.from("0\r\n\r\n");
  if (body.length === 0) return last;
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n"), last]);
}

/** Go's strconv.ParseBool; undefined when it would fail. */
export function parseGoBool(text: string | null): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text ?? "")) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text ?? "") ? false : undefined;
}

/** Go's encoding/json escapes what could end a script element. */
export function goJson(value: unknown, indent?: string): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Collects a request's body. Rejects when the client goes away. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the client went away")));
  });
}
