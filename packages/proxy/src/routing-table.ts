// The data plane's whole configuration, as plain data. Whoever steers the proxy builds a new table and hands it over;
// the proxy compiles it and swaps it atomically. Nothing here knows of Kubernetes: ids are opaque strings for people.
// Durations are milliseconds.

/** Everything the proxy serves. `listeners` are keyed by name; sockets are opened for new names and closed for gone ones. */
export interface RoutingTable {
  listeners: Listener[];
  /** Every service some route points at, each id once. Shared by routes, so that a change of endpoints is one change; a list,
   * because copying and comparing thousands of them is then a matter of microseconds. */
  services: readonly Service[];
}

/** A port: HTTP unless `stream` says that connections are carried as they are. */
export interface Listener {
  /** Unique name, e.g. `web` for an entrypoint or `gateway/traefik/traefik-gateway/8000` for a Gateway's own address. */
  name: string;
  addresses: { host: string; port: number }[];
  /** Default `tcp`. `udp` needs `stream`. */
  transport?: "tcp" | "udp";
  /** Absent: plain text. */
  tls?: TlsTermination;
  /** What requests are served by, chosen by Host; unused when `stream` is there. */
  servers: VirtualServer[];
  /** Connections that no entry of `tls.streams` takes are carried to these backends instead of being read as HTTP: what is inside
   * TLS when `tls` has certificates, else the bytes as they come. */
  stream?: StreamRoute;
  /** Peers (CIDRs) whose X-Forwarded-* headers are believed. Default none. */
  trustedProxies?: string[];
  /** Peers (CIDRs) that begin each connection with a PROXY header, version 1 or 2; without one they are refused.
   * Others are served without. Not with UDP. */
  proxyProtocolFrom?: string[];
}

/** One name space of virtual hosts (a Gateway listener). A request belongs to the server with the most specific hostname
 * that fits its Host and never falls back to another server (Gateway API, listener isolation). With TLS a request whose Host
 * belongs to another server than the name its connection asked for is answered 421 (RFC 9110 section 15.5.20, GEP-3567). */
export interface VirtualServer {
  /** As of VirtualHost. */
  hostname: string;
  virtualHosts: VirtualHost[];
}

export interface TlsTermination {
  /** PEM pairs; the first is the default, others are chosen by SNI. Empty when every connection belongs to `streams`. */
  certificates: { hostnames: string[]; certificate: string; key: string }[];
  /** Default TLSv1.2. */
  minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Absent: clients are not asked for a certificate. */
  clientCertificates?: ClientCertificates;
  /** By SNI: the most specific name counts among these and the listener's servers, and a stream before a server of the same name.
   * Who asks for none of them is served by `Listener.stream`, else by HTTP if there is a certificate and a server, else ended. */
  streams?: TlsStream[];
}

/** Clients must show a certificate of one of these authorities (GEP-91). */
export interface ClientCertificates {
  /** PEM, one or more certificates. */
  authorities: string;
  /** A client without a certificate, or with one that cannot be verified, is served all the same. */
  insecureFallback: boolean;
}

export interface TlsStream {
  /** As of VirtualHost; compared with the name the client asks for (SNI). `*` takes clients that name none, too. */
  hostname: string;
  /** `passthrough`: the bytes go on as they came, ClientHello included. `terminate`: what was inside goes on. */
  mode: "passthrough" | "terminate";
  route: StreamRoute;
}

/** Where connections or datagrams go. */
export interface StreamRoute {
  id: string;
  /** Connections to an unusable share are reset. */
  backends: StreamBackend[];
}

export interface StreamBackend {
  /** Id in `RoutingTable.services`; absent when the backend is unusable. */
  service?: string;
  reason?: string;
  weight: number;
}

export interface VirtualHost {
  /** `*`, `*.suffix` (any number of labels before the suffix, at least one), or an exact lower-case host without port. */
  hostname: string;
  routes: Route[];
}

/** One match and what happens then. A request is offered to the virtual hosts that fit, the most specific first (exact, then
 * longest wildcard, then `*`); within one the most specific match wins: path exact > longest prefix > regular expression (what
 * the Gateway API leaves to implementations) > prefix `/`; then method; then most headers; then most query parameters; then the
 * lowest `order` (Gateway API, HTTPRouteRule.matches). */
export interface Route {
  /** Stable id shown in logs, metrics and traces, e.g. `httproute/demo/whoami-path/rule/0/match/0`. */
  id: string;
  match: RouteMatch;
  /** Ties between equally specific matches go to the lower number: oldest route, then name, then rule, then match. */
  order: number;
  filters: Filter[];
  action: RouteAction;
  /** 0 or absent = none. `request` covers the whole exchange, `backendRequest` one attempt. */
  timeouts?: { request?: number; backendRequest?: number };
  retry?: Retry;
  sessionPersistence?: SessionPersistence;
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

/** GEP-1731. */
export interface Retry {
  /** Statuses of the backend that are tried again, beside connections that fail without an answer. */
  statuses: number[];
  /** Attempts beyond the first. */
  attempts: number;
  /** Least time between attempts. */
  backoff: number;
}

/** A client that has been at an endpoint gets it again (GEP-1619). */
export interface SessionPersistence {
  type: "cookie" | "header";
  /** Of the cookie or the header. */
  name: string;
  /** After this a client is distributed anew, whatever it does. */
  absoluteTimeout?: number;
  /** Cookies only: the client keeps it over its own restarts, for `absoluteTimeout`. */
  permanent?: boolean;
}

export type RouteAction =
  | { type: "forward"; backends: WeightedBackend[] }
  /** Answer without a backend, e.g. 500 for a rule whose every backend is unusable. `body` replaces the proxy's own. */
  | { type: "respond"; status: number; reason: string; body?: string; contentType?: string };

export interface WeightedBackend {
  /** Id in `RoutingTable.services`; absent when the backend is unusable, which answers `status` for its share. */
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
  /** What its endpoints speak. `https`: HTTP/2 or HTTP/1.1 by ALPN. `grpc` is `h2c`. `tcp` and `udp`: for streams. */
  protocol: "http" | "h2c" | "https" | "tcp" | "udp";
  /** Ready endpoints only; empty answers 503. */
  endpoints: Endpoint[];
  /** With `https`, and for `tcp`: speak TLS to the endpoints. */
  tls?: BackendTls;
  /** Begin each connection with a PROXY header of this version, before TLS. Connections of `http` services then serve one request
   * each; those of `https` and `h2c`, which clients share, cannot have one and answer 500. Not with UDP. */
  proxyProtocol?: 1 | 2;
  /** Default round robin. */
  balancing?: { type: "round-robin" } | { type: "least-requests" } | { type: "consistent-hash"; by: HashKey };
  outliers?: OutlierDetection;
  healthCheck?: HealthCheck;
  retryBudget?: RetryBudget;
  /** Open connections to one endpoint (HTTP/1.1, TCP streams) or requests under way (HTTP/2); more wait in a queue of this length,
   * further ones are answered 503, and reset where there is no HTTP. Not for UDP. Default unlimited. */
  limits?: { connections: number; queue: number };
}

/** What a request is hashed by. */
export type HashKey = { source: "address" } | { source: "header" | "cookie"; name: string };

export interface BackendTls {
  /** PEM certificates of the authorities; absent: those the system trusts. */
  authorities?: string;
  /** Name asked for (SNI), and the name the certificate must have unless `subjectAltNames` are given. */
  serverName: string;
  /** The certificate must have one of these. */
  subjectAltNames?: { type: "hostname" | "uri"; value: string }[];
  /** Shown to the endpoint, PEM. */
  certificate?: string;
  key?: string;
}

/** An endpoint that fails repeatedly is left out for a while, as long as others remain. */
export interface OutlierDetection {
  /** Failures (5xx, broken connections) in a row. */
  consecutiveFailures: number;
  /** Base time of the first ejection; each further one is longer by this. */
  ejectionTime: number;
  /** Never more than this share of the endpoints, in percent. */
  maxEjectedPercent: number;
}

/** Endpoints are asked in the background; one that fails is left out until it succeeds again. */
export interface HealthCheck {
  path: string;
  host?: string;
  interval: number;
  timeout: number;
  unhealthyAfter: number;
  healthyAfter: number;
}

/** Retries may be this share of the requests of the last `interval` milliseconds, and always `minPerSecond` (GEP-3388). */
export interface RetryBudget {
  percent: number;
  interval: number;
  minPerSecond: number;
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
  | { type: "rewrite"; hostname?: string; path?: PathRewrite }
  | Mirror
  | Cors
  | ExternalAuth
  /** The request body is read whole before it is sent on; larger ones are answered 413. */
  | { type: "buffer"; maxBytes: number };

/** A share of the requests is sent to another service too, whose answers are dropped; it never delays the request. */
export interface Mirror {
  type: "mirror";
  /** Id in `RoutingTable.services`. */
  service: string;
  /** Absent: every request. */
  fraction?: { numerator: number; denominator: number };
}

/** Fetch standard, CORS protocol (GEP-1767). Names and origins may be `*`; origins may have a `*` label. */
export interface Cors {
  type: "cors";
  allowOrigins: string[];
  allowCredentials: boolean;
  allowMethods: string[];
  allowHeaders: string[];
  exposeHeaders: string[];
  /** Seconds. */
  maxAge: number;
}

/** A service that says whether a request may pass (GEP-1494; Envoy's ext_authz over gRPC). */
export interface ExternalAuth {
  type: "externalAuth";
  /** Id in `RoutingTable.services`. */
  service: string;
  protocol: "http" | "grpc";
  /** HTTP only: put before the request's path. */
  path: string;
  /** Names of request headers it is shown beside the essential ones. */
  allowedHeaders: string[];
  /** HTTP only: headers of its answer that the request takes on. Empty: all that are safe. */
  allowedResponseHeaders: string[];
  /** Shown up to this many bytes of the body; 0: none. */
  maxBodyBytes: number;
}

export interface Header {
  name: string;
  value: string;
}

export type PathRewrite = { type: "full"; value: string } | { type: "prefix"; value: string };
