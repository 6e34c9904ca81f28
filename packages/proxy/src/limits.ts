// The bounds within which the proxy works. All durations are milliseconds, counted by a coarse clock (see timer-wheel.ts).

export interface Limits {
  /** Longest request line in bytes, else 414. */
  requestLineBytes: number;
  /** Longest message head in bytes, start line included, else 431 (client) or 502 (backend). */
  headBytes: number;
  /** From a connection's first byte to the end of its TLS handshake. */
  handshakeTimeout: number;
  /** From a request head's first byte to its last, else 408. */
  headTimeout: number;
  /** How long a kept-alive client connection may stay silent between requests. */
  keepAliveTimeout: number;
  /** How long a peer may leave a started body unread or unsent before the connection is given up. */
  stallTimeout: number;
  /** For a connection to an endpoint to be established. */
  connectTimeout: number;
  /** How long an idle connection to an endpoint is kept; a shorter `Keep-Alive: timeout=` of the backend wins. */
  upstreamIdleTimeout: number;
  /** Idle connections kept per endpoint. */
  upstreamIdleConnections: number;
  /** How long an endpoint that refused a connection is skipped while others are available. */
  unhealthyTimeout: number;
  /** How long a connection that is carried as it is may stay silent. */
  streamIdleTimeout: number;
  /** How long a client's UDP session may stay silent, and how many sessions one listening socket has at most: the one that
   * has been silent longest makes room. */
  udpIdleTimeout: number;
  udpSessions: number;
  /** How long it may stay silent once its route is gone. */
  udpLingerTimeout: number;
  /** How long a request, or a connection carried as it is, may wait for its turn at an endpoint whose connections are limited, else
   * 503 or a reset. */
  queueTimeout: number;
  /** Longest request body in bytes that is kept so that it can be sent again; requests with longer ones are not retried. */
  replayBytes: number;
  /** Bytes of a request body that a mirror may lag behind; one that lags further is given up. */
  mirrorBytes: number;
  /** Mirrored requests under way per service; further ones are left out. */
  mirroredRequests: number;
  /** For a mirrored request, answer included. */
  mirrorTimeout: number;
  /** For an external authorization, request and answer, else the request is refused. */
  authTimeout: number;
  /** How long a closing connection is drained, so that a reset does not eat the last answer (RFC 9112 section 9.6). */
  lingerTimeout: number;
}

/** How long requests on an address that is no longer served, and UDP sessions whose route is gone, may still take, in milliseconds. */
export const REMOVAL_GRACE = 60_000;

export const DEFAULT_LIMITS: Limits = {
  requestLineBytes: 16 * 1024,
  headBytes: 64 * 1024,
  handshakeTimeout: 10_000,
  headTimeout: 30_000,
  keepAliveTimeout: 180_000,
  stallTimeout: 60_000,
  connectTimeout: 5_000,
  upstreamIdleTimeout: 60_000,
  upstreamIdleConnections: 1024,
  unhealthyTimeout: 1_000,
  streamIdleTimeout: 3_600_000,
  udpIdleTimeout: 60_000,
  udpSessions: 1_024,
  udpLingerTimeout: 5_000,
  queueTimeout: 5_000,
  replayBytes: 64 * 1024,
  mirrorBytes: 256 * 1024,
  mirroredRequests: 1_024,
  mirrorTimeout: 30_000,
  authTimeout: 10_000,
  lingerTimeout: 2_000,
};
