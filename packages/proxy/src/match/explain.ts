// Says for one request which route takes it and, for every other, what kept it out. The choice itself is the matcher's.

import { bareHost, HostIndex } from "./hostname.ts";
import type { HostEntry } from "./hostname.ts";
import type { HostTable } from "./host-table.ts";
import type { Matcher, NoMatch } from "./matcher.ts";
import { readPath, splitTarget } from "./path.ts";
import { comparePrecedence } from "./path-index.ts";
import type { PathIndex } from "./path-index.ts";
import { barePrefix, headerValue, methodMatches, queryValue, valueMatches } from "./route-conditions.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

export interface RequestDescription {
  /** Name of the listener the request arrives at. */
  listener: string;
  method: string;
  host: string;
  /** Path with query. */
  target: string;
  /** What its TLS connection asked for (SNI); absent without. */
  serverName?: string;
  headers?: Record<string, string>;
}

export interface Mismatch {
  /** `server`: the virtual host fits, but the host belongs to a more specific server. */
  part: "host" | "server" | "path" | "method" | "header" | "query";
  /** Header or query parameter. */
  name?: string;
  expected: string;
  /** Absent when the request has no such value. */
  actual?: string;
}

export interface Candidate {
  route: string;
  virtualHost: string;
  /** `outranked`: it matches as well, but a more specific route takes the request. */
  result: "chosen" | "outranked" | "mismatch";
  mismatches: Mismatch[];
  /** One sentence for people. */
  why: string;
}

export interface Explanation {
  listener: string;
  outcome: "matched" | "no-listener" | NoMatch;
  /** Virtual host that takes the request's host, absent when none does. */
  virtualHost?: string;
  /** Id of the chosen route. */
  route?: string;
  /** Path as matched and forwarded (before any rewrite). */
  path: string;
  /** Every route of the listener, nearest first. */
  candidates: Candidate[];
}

/** Explains `request` at the listener `matcher` was compiled for; undefined means there is no such listener. */
export function explain(matcher: Matcher<unknown> | undefined, request: RequestDescription): Explanation {
  const { path, query } = splitTarget(request.target);
  const base = { listener: request.listener, path, candidates: [] };
  if (matcher === undefined) return { ...base, outcome: "no-listener" };
  const given = Object.entries(request.headers ?? {});
  const headers = new Map(given.map(([name, value]) => [name.toLowerCase(), Buffer.from(value).toString("latin1")]));
  const asked: MatchRequest = { method: request.method, path, query, header: (name) => headers.get(name) };
  const host = bareHost(request.host);
  const found = matcher.find(host, asked, request.serverName ?? null);
  const server = matcher.servers.find(host);
  const context: Context = {
    host,
    server,
    fitting: fittingHosts(server?.value.hosts, host),
    chosen: found.entry,
    request: asked,
  };
  if (path !== "*") context.request = { ...asked, path: readPath(path)?.path ?? path };
  const places = [...matcher.servers.entries()].flatMap((each) =>
    [...each.value.hosts.entries()].map((entry): Place => ({ ...entry, server: each.hostname })),
  );
  const candidates = places.flatMap((place) => place.value.entries.map((route) => judge(place, route, context)));
  const virtualHost = (
    places.find(({ value }) => found.entry !== null && value.has(found.entry)) ?? server?.value.hosts.find(host)
  )?.hostname;
  return {
    ...base,
    path: context.request.path,
    outcome: found.entry === null ? found.why : "matched",
    ...(virtualHost !== undefined && { virtualHost }),
    ...(found.entry !== null && { route: found.entry.route.id }),
    candidates: candidates.toSorted((a, b) => rank(a) - rank(b)),
  };
}

/** A virtual host and the server it belongs to. */
interface Place extends HostEntry<PathIndex<unknown>> {
  server: string;
}

interface Context {
  host: string;
  /** The server that the host belongs to. */
  server: HostEntry<HostTable<unknown>> | undefined;
  /** Its virtual hosts that fit the host. */
  fitting: readonly PathIndex<unknown>[];
  chosen: RouteEntry<unknown> | null;
  request: MatchRequest;
}

function fittingHosts(hosts: HostIndex<PathIndex<unknown>> | undefined, host: string): PathIndex<unknown>[] {
  const fitting = [];
  for (let entry = hosts?.find(host); entry !== undefined; entry = hosts?.widerThan(entry)) fitting.push(entry.value);
  return fitting;
}

function rank(candidate: Candidate): number {
  if (candidate.result === "chosen") return 0;
  // A wrong host is further away than a wrong anything else.
  return 1 + candidate.mismatches.reduce((sum, { part }) => sum + (part === "host" ? 10 : 1), 0);
}

function judge(place: Place, entry: RouteEntry<unknown>, context: Context): Candidate {
  const base = { route: entry.route.id, virtualHost: place.hostname };
  const mismatches = mismatchesOf(entry, context.request);
  if (!context.fitting.includes(place.value)) mismatches.unshift(hostMismatch(place, context));
  if (entry === context.chosen) return { ...base, result: "chosen", mismatches: [], why: "takes the request" };
  if (mismatches.length > 0) {
    return { ...base, result: "mismatch", mismatches, why: mismatches.map(describe).join("; ") };
  }
  return { ...base, result: "outranked", mismatches, why: outrankedBy(context, entry, place) };
}

/** A host that would fit may stand in a server that a more specific one shields. */
function hostMismatch({ hostname, server }: Place, { host, server: owner }: Context): Mismatch {
  const alone = new HostIndex<null>();
  alone.set(hostname, null);
  if (owner === undefined || owner.hostname === server || alone.find(host) === undefined) {
    return { part: "host", expected: hostname, actual: host };
  }
  return { part: "server", expected: server, actual: owner.hostname };
}

function mismatchesOf(entry: RouteEntry<unknown>, request: MatchRequest): Mismatch[] {
  const { route } = entry;
  const mismatches: Mismatch[] = [];
  if (!pathMatches(entry, request.path)) {
    mismatches.push({
      part: "path",
      expected: `${route.match.path.type} ${route.match.path.value}`,
      actual: request.path,
    });
  }
  if (!methodMatches(route, request.method)) {
    mismatches.push({ part: "method", expected: route.match.method!, actual: request.method });
  }
  for (const part of ["header", "query"] as const) {
    for (const condition of part === "header" ? entry.headers : entry.query) {
      const { name } = condition;
      const actual = part === "header" ? headerValue(request, name) : queryValue(request.query, name);
      if (valueMatches(condition, actual)) continue;
      const expected = condition.type === "regex" ? `regex ${condition.expected}` : condition.expected;
      mismatches.push({ part, name, expected, ...(actual !== undefined && { actual }) });
    }
  }
  return mismatches;
}

/** The index's own rule for one route; a test holds the two together. */
function pathMatches(entry: RouteEntry<unknown>, path: string): boolean {
  const { type, value } = entry.route.match.path;
  if (type === "exact") return path === value;
  if (type === "regex") return entry.pathPattern?.test(path) === true;
  const prefix = barePrefix(value);
  return prefix === "" || path === prefix || path.startsWith(`${prefix}/`);
}

function describe({ part, name, expected, actual }: Mismatch): string {
  const label = name === undefined ? part : `${part} ${name}`;
  return actual === undefined ? `${label} is absent, wanted ${expected}` : `${label} is ${actual}, wanted ${expected}`;
}

function outrankedBy({ chosen, fitting }: Context, entry: RouteEntry<unknown>, place: Place): string {
  if (chosen === null) return "the path is refused as ambiguous";
  const winner = chosen.route.id;
  const winnersHost = fitting.find((paths) => paths.has(chosen));
  if (winnersHost !== place.value) return `${winner} is for a more specific host`;
  const [won, lost] = [chosen.route.match, entry.route.match];
  if (won.path.type !== lost.path.type) return `${winner} has a path match of type ${won.path.type}, which goes first`;
  if (won.path.type === "prefix" && barePrefix(won.path.value) !== barePrefix(lost.path.value)) {
    return `${winner} has the longer prefix ${won.path.value}`;
  }
  if ((won.method === undefined) !== (lost.method === undefined)) return `${winner} names the method`;
  if (won.headers.length !== lost.headers.length) return `${winner} matches on more headers`;
  if (won.query.length !== lost.query.length) return `${winner} matches on more query parameters`;
  return comparePrecedence(chosen.route, entry.route) < 0 ? `${winner} comes earlier` : `${winner} is listed first`;
}
