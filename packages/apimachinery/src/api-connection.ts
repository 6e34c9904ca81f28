// How to reach an API server: one small HTTP client over node:http(s), with kept-alive connections, for a TLS address
// or for an in-memory stream to a server of the same process.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import type { Duplex } from "node:stream";

/** Where the API server is and who we are. Exactly one of `server` and `connect` is used. */
export interface ConnectionOptions {
  /** `https://host:port` (or `http://` for `kubectl proxy`-like servers). */
  server?: string;
  /** Opens a stream to an API server in this process, already authenticated by whoever opened it. */
  connect?: () => Duplex;
  /** PEM. */
  certificateAuthority?: string | Buffer;
  clientCertificate?: string | Buffer;
  clientKey?: string | Buffer;
  /** A bearer token, or a function that reads the current one (ServiceAccount tokens rotate). */
  token?: string | (() => string);
  insecureSkipTlsVerify?: boolean;
  tlsServerName?: string;
  userAgent?: string;
}

export interface ApiRequest {
  method: string;
  /** Path with query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal;
}

export interface ApiConnection {
  /** Sends a request; resolves with the response once its head is there. Rejects on connection failure only. */
  request(request: ApiRequest): Promise<IncomingMessage>;
  /** Closes kept-alive connections. Requests under way are not cut. */
  close(): void;
}

/** Opens no socket until the first request. */
export async function createApiConnection(options: ConnectionOptions): Promise<ApiConnection> {
  const secure = options.connect === undefined && options.server?.startsWith("https:") === true;
  const { request, agent } = secure ? await secureParts(options) : plainParts(options);
  if (!options.server && !options.connect)
    throw new Error("no API server to connect to: the cluster has no server address");
  const base = new URL(options.server ?? "http://in-process.invalid");
  const prefix = base.pathname.replace(/\/$/, "");

  const defaults: RequestOptions = {
    agent,
    host: base.hostname.replace(/^\[|\]$/g, ""),
    port: base.port || (secure ? 443 : 80),
  };
  const attempt = (wanted: ApiRequest): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ ...defaults, ...requestOptions(wanted) }, resolve);
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        // The server closed a kept-alive connection just as we took it up: what only reads is simply asked again. Every
        // such failure uses up one stale socket, so this ends with a fresh one.
        const stale = outgoing.reusedSocket && error.code === "ECONNRESET" && wanted.method === "GET";
        if (stale) resolve(attempt(wanted));
        else reject(error);
      });
      outgoing.end(wanted.body);
    });
  const requestOptions = (wanted: ApiRequest): RequestOptions => ({
    method: wanted.method,
    path: prefix + wanted.path,
    headers: {
      ...headers(),
      ...wanted.headers,
      ...(wanted.body === undefined ? {} : { "content-length": String(Buffer.byteLength(wanted.body)) }),
    },
    ...(wanted.signal ? { signal: wanted.signal } : {}),
  });
  const headers = (): Record<string, string> => {
    const token = typeof options.token === "function" ? options.token() : options.token;
    return {
      "user-agent": options.userAgent ?? "gatehouse",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
  };

  return {
    request: (wanted) => attempt(wanted),
    close: () => closeIdle(agent),
  };
}

/** Agent.destroy() would cut requests under way too; this lets them finish and then closes their sockets. */
function closeIdle(agent: HttpAgent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function plainParts(options: ConnectionOptions) {
  const { connect } = options;
  const agent = new HttpAgent({ keepAlive: true, maxSockets: Infinity });
  if (connect) agent.createConnection = () => asSocket(connect());
  return { request: httpRequest, agent };
}

/** The agent calls these methods on every connection that it keeps; a stream in memory has nothing to set. */
function asSocket(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  return Object.assign(stream, { setKeepAlive: same, setNoDelay: same, setTimeout: same, ref: same, unref: same });
}

/** node:https is loaded only when needed: the parts inside the cluster process never are. */
async function secureParts(options: ConnectionOptions) {
  const https = await import("node:https");
  const agent = new https.Agent({
    keepAlive: true,
    maxSockets: Infinity,
    ...(options.certificateAuthority ? { ca: options.certificateAuthority } : {}),
    ...(options.clientCertificate ? { cert: options.clientCertificate } : {}),
    ...(options.clientKey ? { key: options.clientKey } : {}),
    ...(options.tlsServerName ? { servername: options.tlsServerName } : {}),
    rejectUnauthorized: options.insecureSkipTlsVerify !== true,
  });
  return { request: https.request, agent };
}
