// Filters, compiled: header edits as the set of names to drop and the lines to append, path rewrites and redirects
// (Gateway API HTTPRouteFilter).

import type { ExternalAuth, Filter, Mirror, PathRewrite, Route } from "./routing-table.ts";
import { hostOrNull, safeTarget } from "./safe-text.ts";
import { HOST } from "./http1/known-hosts.ts";
import { barePrefix } from "./match/route-conditions.ts";
import { CORS_FIELDS, CorsPolicy } from "./policies/cors.ts";

/** Net effect of a chain of header filters. */
export interface HeaderEdits {
  /** Lower-case names whose original lines go. */
  drop: ReadonlySet<string>;
  /** Lines to add, each with CRLF, Latin-1. */
  append: string;
}

export type RedirectFilter = Extract<Filter, { type: "redirect" }>;

/** What the filters of a route and one of its backends come to. */
export interface FilterPlan {
  request: HeaderEdits | null;
  response: HeaderEdits | null;
  redirect: RedirectFilter | null;
  /** Replaces the Host towards the backend. */
  hostname: string | null;
  path: PathRewrite | null;
  cors: CorsPolicy | null;
  mirrors: Mirror[];
  externalAuth: ExternalAuth[];
  /** Request bodies are gathered whole and may have so many bytes; Infinity where they pass as they come. */
  bufferBytes: number;
}

/** Framing and connection management belong to the proxy; Host has a filter of its own, but `set` is understood. */
export const UNTOUCHABLE: ReadonlySet<string> = new Set(
  "connection,content-length,transfer-encoding,te,trailer,upgrade,keep-alive,proxy-connection,host".split(","),
);

/** Of the thousands of routes without any. */
const NONE: never[] = [];

export function compileFilters(filters: Filter[]): FilterPlan {
  const plan: FilterPlan = {
    request: null,
    response: null,
    redirect: null,
    hostname: null,
    path: null,
    cors: null,
    mirrors: NONE,
    externalAuth: NONE,
    bufferBytes: Infinity,
  };
  const request = new EditsBuilder();
  const response = new EditsBuilder();
  for (const filter of filters) {
    if (filter.type === "requestHeaders") {
      request.apply(filter);
      const host = filter.set.find((header) => header.name.toLowerCase() === "host");
      if (host !== undefined) plan.hostname = hostOrNull(host.value);
    } else if (filter.type === "responseHeaders") response.apply(filter);
    else if (filter.type === "redirect") plan.redirect ??= safeRedirect(filter);
    else if (filter.type === "rewrite") {
      plan.hostname = (filter.hostname === undefined ? null : hostOrNull(filter.hostname)) ?? plan.hostname;
      plan.path = filter.path === undefined ? plan.path : safePath(filter.path);
    } else if (filter.type === "cors") plan.cors ??= new CorsPolicy(filter);
    else if (filter.type === "mirror") plan.mirrors = [...plan.mirrors, filter];
    else if (filter.type === "externalAuth") plan.externalAuth = [...plan.externalAuth, filter];
    else plan.bufferBytes = Math.min(plan.bufferBytes, filter.maxBytes);
  }
  if (plan.cors !== null) for (const name of CORS_FIELDS) response.remove(name);
  plan.request = request.build();
  plan.response = response.build();
  return plan;
}

const safePath = (path: PathRewrite): PathRewrite => ({ ...path, value: safeTarget(path.value) });

function safeRedirect({ hostname, path, ...rest }: RedirectFilter): RedirectFilter {
  return {
    ...rest,
    ...(hostname !== undefined && HOST.test(hostname) ? { hostname } : {}),
    ...(path === undefined ? {} : { path: safePath(path) }),
  };
}

class EditsBuilder {
  readonly #drop = new Set<string>();
  #lines: { name: string; text: string }[] = [];

  apply(filter: Extract<Filter, { type: "requestHeaders" | "responseHeaders" }>): void {
    for (const { name, value } of filter.set) {
      this.remove(name);
      this.#add(name, value);
    }
    for (const { name, value } of filter.add) this.#add(name, value);
    for (const name of filter.remove) this.remove(name);
  }

  remove(name: string): void {
    const lower = name.toLowerCase();
    if (UNTOUCHABLE.has(lower)) return;
    this.#drop.add(lower);
    this.#lines = this.#lines.filter((line) => line.name !== lower);
  }

  #add(name: string, value: string): void {
    const lower = name.toLowerCase();
    // A value that could end its line would let configuration write further lines: it is left out.
    if (UNTOUCHABLE.has(lower) || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || /[\0\r\n]/.test(value)) return;
    this.#lines.push({ name: lower, text: Buffer.from(`${name}: ${value}\r\n`).toString("latin1") });
  }

  build(): HeaderEdits | null {
    if (this.#drop.size === 0 && this.#lines.length === 0) return null;
    return { drop: shared(this.#drop), append: this.#lines.map((line) => line.text).join("") };
  }
}

/** Sets of names by their names: routes that edit the same fields, as generated ones do by the thousand, have one together. */
const known = new Map<string, ReadonlySet<string>>();
const mostKnown = 100;

function shared(names: ReadonlySet<string>): ReadonlySet<string> {
  const key = [...names].join();
  const same = known.get(key);
  if (same !== undefined) return same;
  if (known.size >= mostKnown) known.clear();
  known.set(key, names);
  return names;
}

/** Applies a path rewrite. `prefix` replaces what the route's prefix matched, on segment boundaries, so that
 * `/v1/x` with `/v1` -> `/` is `/x` and `/v1` with `/v1` -> `` is `/` (table at HTTPPathModifier.replacePrefixMatch). */
export function rewritePath(path: string, rewrite: PathRewrite, route: Route): string {
  if (path === "*") return path;
  if (rewrite.type === "full") return rewrite.value.startsWith("/") ? rewrite.value : `/${rewrite.value}`;
  const { type, value } = route.match.path;
  // Only a prefix match says what the prefix is; other routes keep the path (the caller refuses such a route).
  if (type !== "prefix") return path;
  const rest = path.slice(barePrefix(value).length);
  const rewritten = barePrefix(rewrite.value) + rest;
  return rewritten.startsWith("/") ? rewritten : `/${rewritten}`;
}

export interface RedirectRequest {
  scheme: "http" | "https";
  /** Host as the client sent it, port included. */
  host: string;
  /** Port the client reached. */
  port: number;
  path: string;
  query: string;
}

/** Value of Location for a redirect filter; port rules of HTTPRequestRedirectFilter.port. */
export function redirectLocation(filter: RedirectFilter, request: RedirectRequest, route: Route): string {
  const scheme = filter.scheme ?? request.scheme;
  const wellKnown = scheme === "https" ? 443 : 80;
  const port = filter.port ?? (filter.scheme === undefined ? request.port : wellKnown);
  const hostname = filter.hostname ?? request.host.replace(/:\d*$/, "");
  const path = filter.path === undefined ? request.path : rewritePath(request.path, filter.path, route);
  return `${scheme}://${hostname}${port === wellKnown ? "" : `:${port}`}${path}${request.query}`;
}
