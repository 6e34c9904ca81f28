// The data plane's whole configuration, as plain data. Whoever steers the proxy builds a new table and hands it over;
// the proxy compiles it and swaps it atomically. Nothing here knows of Kubernetes: ids are opaque strings for people.

/** Everything the proxy serves. `listeners` are keyed by name; sockets are opened for new names and closed for gone ones. */
export interface RoutingTable {
  listeners: Listener[];
  /** Every service some route points at, by id. Shared by routes, so that a change of endpoints is one change. */
  services: Record<string, Service>;
}

export interface Listener {
  /** Unique name, e.g. `web` for an entrypoint or `gateway/traefik/traefik-gateway/8000` for a Gateway's own address. */
  name: string;
  addresses: { host: string; port: number }[];
  /** Absent: plain HTTP. */
  tls?: TlsTermination;
  /** Virtual hosts of this listener. A request goes to the most specific matching hostname (exact, then longest
   * wildcard, then `*`), and never falls back to a less specific host once one matched (Gateway API listener isolation
   * is built by the caller through `virtualHosts`). */
  virtualHosts: VirtualHost[];
  /** Peers (CIDRs) whose X-Forwarded-* headers are believed. Default none. */
  trustedProxies?: string[];
}

export interface TlsTermination {
  /** PEM pairs; the first is the default, others are chosen by SNI. */
  certificates: { hostnames: string[]; certificate: string; key: string }[];
}

export interface VirtualHost {
  /** `*`, `*.suffix` (any number of labels before the suffix, at least one), or an exact lower-case host without port. */
  hostname: string;
  routes: Route[];
}

/** One match and what happens then. Within a virtual host the most specific match wins:
 * path exact > longest prefix > regular expression; then method; then most headers; then most query parameters;
 * then the lowest `order` (Gateway API HTTPRouteRule precedence). */
export interface Route {
  /** Stable id shown in logs, metrics and traces, e.g. `httproute/demo/whoami-path/rule/0/match/0`. */
  id: string;
  match: RouteMatch;
  /** Ties between equally specific matches go to the lower number: oldest route, then name, then rule, then match. */
  order: number;
  filters: Filter[];
  action: RouteAction;
  /** Milliseconds; 0 or absent = none. `request` covers the whole exchange, `backendRequest` one attempt. */
  timeouts?: { request?: number; backendRequest?: number };
}

export interface RouteMatch {
  path: { type: "exact" | "prefix" | "regex"; value: string };
  method?: string;
  headers: ValueMatch[];
  query: ValueMatch[];
}

export interface ValueMatch {
  name: string;
  type: "exact" | "regex";
  value: string;
}

export type RouteAction =
  | { type: "forward"; backends: WeightedBackend[] }
  /** Answer without a backend, e.g. 500 for a rule whose every backend is unusable. */
  | { type: "respond"; status: number; reason: string };

export interface WeightedBackend {
  /** Key into `RoutingTable.services`; absent when the backend is unusable, which answers `status` for its share. */
  service?: string;
  /** Status for the share of an unusable backend (Gateway API: 500). */
  status?: number;
  /** Why it is unusable, for the access log and traces. */
  reason?: string;
  weight: number;
  filters: Filter[];
}

export interface Service {
  id: string;
  protocol: "http" | "h2c" | "https";
  /** Ready endpoints only; empty answers 503. */
  endpoints: Endpoint[];
}

export interface Endpoint {
  host: string;
  port: number;
  /** For people: the pod's name. */
  name?: string;
}

export type Filter =
  | { type: "requestHeaders"; set: Header[]; add: Header[]; remove: string[] }
  | { type: "responseHeaders"; set: Header[]; add: Header[]; remove: string[] }
  | {
      type: "redirect";
      scheme?: string;
      hostname?: string;
      port?: number;
      path?: PathRewrite;
      status: 301 | 302 | 303 | 307 | 308;
    }
  | { type: "rewrite"; hostname?: string; path?: PathRewrite };

export interface Header {
  name: string;
  value: string;
}

export type PathRewrite = { type: "full"; value: string } | { type: "prefix"; value: string };
