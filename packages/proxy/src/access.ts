// One record per finished request, or connection that was carried as it is, for access logs and live views: all that Traefik's common log format names, and more.

export interface AccessRecord {
  /** Milliseconds since the epoch when the request head was complete. */
  time: number;
  /** Milliseconds until the last byte of the answer was handed to the kernel's send buffer. */
  duration: number;
  listener: string;
  clientAddress: string;
  clientPort: number;
  method: string;
  /** Target as the client sent it. */
  target: string;
  /** `HTTP/1.1` and the like. `tcp`, `tls` and `udp` are connections (sessions) carried as they are: they have no method,
   * target or status, `host` is the name asked for (SNI), and `requestCount` is 0. */
  protocol: string;
  host: string;
  userAgent: string;
  referer: string;
  /** Status sent; without an answer 499 when the client went away, 503 when the proxy closed. */
  status: number;
  /** Body bytes sent to the client, without framing. */
  bytes: number;
  /** Of connections carried as they are: bytes of the client. */
  bytesReceived?: number;
  /** Number of this request among all the proxy has handled, from 1; of several workers each has every so many'th. */
  requestCount: number;
  /** Empty when no route was found. */
  route: string;
  /** Empty when no backend was chosen. */
  service: string;
  /** `host:port` of the endpoint that answered or was tried last, else empty. */
  endpoint: string;
  endpointName: string;
  /** Attempts beyond the first. */
  retries: number;
  /** Why the proxy answered itself or broke off; empty when the backend's answer was passed on whole. */
  reason: string;
}
