// Cross-origin requests (Fetch standard, CORS protocol; GEP-1767): answers preflights in the backend's place, and says on
// every answer what pages of other origins may see of it. What the backend says about that does not count.

import type { RequestHead } from "../http1/request-head.ts";
import type { OwnAnswer } from "../own-answer.ts";
import type { Cors } from "../routing-table.ts";

/** Lower-case names of the response fields that belong to the policy. */
export const CORS_FIELDS: readonly string[] = [
  "access-control-allow-origin",
  "access-control-allow-credentials",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-expose-headers",
  "access-control-max-age",
];

const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._*-]+)(?::([0-9]{1,5}))?$/;
const DEFAULT_PORTS: Record<string, string> = { http: "80", https: "443" };
/** What a value of configuration must be so that it cannot end its line. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

interface Origin {
  scheme: string;
  host: string;
  port: string;
}

/** Null for what is no origin, `null` (a page without one) among them. */
function parseOrigin(text: string): Origin | null {
  const parts = ORIGIN.exec(text.toLowerCase());
  if (parts === null) return null;
  const scheme = parts[1]!;
  return { scheme, host: parts[2]!, port: parts[3] ?? DEFAULT_PORTS[scheme] ?? "" };
}

/** `*` stands for at least one character, dots included. */
function hostFits(pattern: string, host: string): boolean {
  const parts = pattern.split("*");
  const first = parts.shift()!;
  const last = parts.pop();
  if (last === undefined) return pattern === host;
  if (!host.startsWith(first) || !host.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = host.indexOf(part, at + 1);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at < host.length - last.length;
}

export class CorsPolicy {
  readonly #filter: Cors;
  readonly #any: boolean;
  readonly #origins: Origin[];
  /** Lines of every answer to an origin that is allowed, and of every preflight besides, with CRLF. */
  readonly #common: string;
  readonly #methods: string;
  readonly #headers: string;

  constructor(filter: Cors) {
    this.#filter = filter;
    this.#any = filter.allowOrigins.includes("*");
    this.#origins = filter.allowOrigins.map(parseOrigin).filter((origin) => origin !== null);
    const exposed = list(filter.exposeHeaders);
    // With credentials browsers read `*` as a name.
    const expose = exposed === "" || (filter.allowCredentials && filter.exposeHeaders.includes("*")) ? "" : exposed;
    this.#common =
      (filter.allowCredentials ? "Access-Control-Allow-Credentials: true\r\n" : "") +
      (expose === "" ? "" : `Access-Control-Expose-Headers: ${expose}\r\n`);
    this.#methods = list(filter.allowMethods);
    this.#headers = list(filter.allowHeaders);
  }

  /** The proxy's answer if the request is a preflight, null for any other request. */
  preflight(head: RequestHead): OwnAnswer | null {
    if (head.method !== "OPTIONS") return null;
    const origin = head.get("origin");
    const method = head.get("access-control-request-method");
    if (origin === undefined || method === undefined) return null;
    const vary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";
    if (!this.#allows(origin)) return { status: 403, reason: "cors-origin-not-allowed", lines: vary };
    const methods = this.#filter.allowMethods.includes("*") ? this.#wildcard(method) : this.#methods;
    const asked = head.get("access-control-request-headers");
    const headers = this.#filter.allowHeaders.includes("*") ? (asked ?? this.#wildcard("")) : this.#headers;
    const lines =
      this.#originLine(origin) +
      this.#common +
      (methods === "" ? "" : `Access-Control-Allow-Methods: ${methods}\r\n`) +
      (headers === "" ? "" : `Access-Control-Allow-Headers: ${headers}\r\n`) +
      `Access-Control-Max-Age: ${this.#filter.maxAge}\r\n${vary}`;
    return { status: 204, reason: "cors-preflight", lines };
  }

  /** Field lines, with CRLF, for the answer to a request that is no preflight. */
  lines(head: Pick<RequestHead, "get">): string {
    const vary = this.#any && !this.#filter.allowCredentials ? "" : "Vary: Origin\r\n";
    const origin = head.get("origin");
    if (origin === undefined || !this.#allows(origin)) return vary;
    return this.#originLine(origin) + this.#common + vary;
  }

  #allows(text: string): boolean {
    if (this.#any) return true;
    const origin = parseOrigin(text);
    if (origin === null) return false;
    const { scheme, host, port } = origin;
    return this.#origins.some((each) => each.scheme === scheme && each.port === port && hostFits(each.host, host));
  }

  /** The origin comes from a parsed field, which cannot hold a line end. */
  #originLine(origin: string): string {
    return `Access-Control-Allow-Origin: ${this.#any ? this.#wildcard(origin) : origin}\r\n`;
  }

  /** `*` where browsers understand it, else what was asked for. */
  #wildcard(asked: string): string {
    return this.#filter.allowCredentials ? asked : "*";
  }
}

const list = (names: string[]): string => names.filter((name) => NAME.test(name)).join(", ");
