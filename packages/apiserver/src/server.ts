// The API server as a whole: state, resources, identities and listeners put together, and taken apart again.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { createLog, type Log } from "@gatehouse/apimachinery/log";
import { loadPolicyRules } from "./admission/admit.ts";
import { policyResource } from "./admission/policy-types.ts";
import type { ApiContext, NodeProxy } from "./api-context.ts";
import { Authenticator, type StaticToken } from "./auth/authentication.ts";
import { Authorizer } from "./auth/authorization.ts";
import { ServiceAccountTokens } from "./auth/service-account-tokens.ts";
import { ensureInitialObjects, publishServer } from "./bootstrap.ts";
import { serveCustomResources } from "./crd/custom-resources.ts";
import { EventExpiry } from "./storage/event-expiry.ts";
import type { Identity } from "./auth/identity.ts";
import { builtInDefinitions } from "./kinds/built-in.ts";
import { Metrics } from "./http/metrics.ts";
import { PathAnswers } from "./http/path-answers.ts";
import { Registry } from "./registry.ts";
import { RequestHandler } from "./http/request-handler.ts";
import { upgradeOptions } from "./http/upgrade.ts";
import { setWriteLimit } from "./http/write-limit.ts";
import { Store } from "./storage/store.ts";

/** PEM each. `ca` signs client certificates. */
export interface ServingTls {
  ca: string;
  cert: string;
  key: string;
}

export interface ApiServerOptions {
  /** The SQLite file, or `:memory:`. Its directory must exist. */
  statePath: string;
  /** Without it nothing listens: only `connectInProcess` reaches the server. */
  tls?: ServingTls | undefined;
  host: string;
  /** 0 takes any free port. */
  port: number;
  tokens?: StaticToken[];
  /** PEM of an EC P-256 private key. */
  serviceAccountKey: string;
  /** Issuer (and audience) of ServiceAccount tokens. */
  issuer?: string;
  nodeProxy?: NodeProxy;
  log?: Log;
}

export interface ApiServer {
  /** 0 when nothing listens. */
  port: number;
  /** `https://host:port`, or empty when nothing listens. */
  address: string;
  /** For further HTTP servers whose requests prove their own identity (token). */
  handler: (request: IncomingMessage, response: ServerResponse) => void;
  /** A stream that speaks HTTP/1.1 with this server; everything sent on it is from `identity`. */
  connectInProcess(identity: Identity): Duplex;
  /** Ends watches, refuses new connections, commits and releases the state. */
  close(): Promise<void>;
}

const defaultIssuer = "https://kubernetes.default.svc.cluster.local";
/** Above the idle time of Go's client (90 s): then it is the client who closes, and no request meets a closing socket. */
const keepAliveMs = 120_000;
const closeGraceMs = 250;
/**
 * More than nearly every answer. Node pauses a connection's parser while an answer above this is not yet counted as sent; over
 * TLS the client's next request can arrive just then, and the connection is destroyed (HPE_PAUSED, seen under load).
 */
const socketBufferBytes = 4 * 1024 * 1024;

/** Selectors may be long: Go's server takes a mebibyte. */
const maxHeadBytes = 256 * 1024;

/** Starts a server; resolves when it serves. Rejects with one clear sentence when state, key or address cannot be used. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const log = options.log ?? createLog("apiserver");
  const store = new Store(options.statePath);
  try {
    const tokens = new ServiceAccountTokens(store, options.serviceAccountKey, options.issuer ?? defaultIssuer);
    const registry = new Registry(builtInDefinitions());
    const context: ApiContext = { store, registry, tokens, nodeProxy: options.nodeProxy, log };
    if (store.count(policyResource) > 0) await loadPolicyRules();
    serveCustomResources(context);
    ensureInitialObjects(context);
    const authenticator = new Authenticator(tokens, options.tokens ?? []);
    const authorizer = new Authorizer(store);
    const metrics = new Metrics(store);
    const paths = new PathAnswers(registry, metrics, store, tokens);
    const requests = new RequestHandler({ context, authenticator, authorizer, paths, metrics, log });
    const handler = (request: IncomingMessage, response: ServerResponse): void =>
      void requests.handle(request, response);
    const upgrade: UpgradeHandler = (request, socket, head) => void requests.upgrade(request, socket, head);
    const handlers = { handler, upgrade };
    const listener = options.tls && (await listen(options.tls, options.host, options.port, handlers));
    const port = listener ? (listener.address() as AddressInfo).port : 0;
    if (listener) publishServer(context, options.host, port);
    await store.committed();
    const inProcess = new InProcessServer(authenticator, handlers);
    const expiry = new EventExpiry(store);
    return {
      port,
      address: listener ? `https://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}` : "",
      handler,
      connectInProcess: (identity) => inProcess.connect(identity),
      close: async () => {
        expiry.stop();
        requests.close();
        await Promise.all([listener && closeListener(listener), inProcess.close()]);
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Handlers {
  handler: (request: IncomingMessage, response: ServerResponse) => void;
  upgrade: UpgradeHandler;
}

async function listen(tls: ServingTls, host: string, port: number, handlers: Handlers): Promise<Server> {
  const { createServer: createTlsServer } = await import("node:https");
  // Strangers get through the handshake: the public paths are theirs, and tokens come later.
  const server = createTlsServer(
    {
      ...tls,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      highWaterMark: socketBufferBytes,
      maxHeaderSize: maxHeadBytes,
      ...upgradeOptions,
    },
    handlers.handler,
  );
  server.on("upgrade", handlers.upgrade);
  server.keepAliveTimeout = keepAliveMs;
  server.prependListener("secureConnection", (socket) => setWriteLimit(socket, socketBufferBytes));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}

/** Answers get a moment to reach their clients; idle and stuck connections do not hold the end up. */
async function closeListener(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await closed;
  clearTimeout(timer);
}

/** HTTP over in-memory streams: the same handler, no sockets. */
class InProcessServer {
  readonly #server: Server;
  readonly #authenticator: Authenticator;
  readonly #streams = new Set<Duplex>();

  constructor(authenticator: Authenticator, { handler, upgrade }: Handlers) {
    this.#authenticator = authenticator;
    this.#server = createServer(upgradeOptions, handler);
    this.#server.on("upgrade", upgrade);
    // Nothing to save: an idle in-memory stream costs no descriptor.
    this.#server.keepAliveTimeout = 0;
  }

  connect(identity: Identity): Duplex {
    const [ours, theirs] = duplexPair();
    this.#authenticator.trust(ours, identity);
    this.#streams.add(ours);
    ours.once("close", () => this.#streams.delete(ours));
    this.#server.emit("connection", ours);
    return theirs;
  }

  async close(): Promise<void> {
    // Watches were told to end; let what they wrote be read before the streams go.
    await new Promise((resolve) => setImmediate(resolve));
    for (const stream of this.#streams) stream.destroy();
  }
}
