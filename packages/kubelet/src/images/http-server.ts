// HTTP/1.1 on a port of a built-in image, as Go's net/http serves it: plain or over TLS, and HTTP/2 where that is asked for.
// HTTP/2 is loaded with its first connection: most pods never see one.

import type { IncomingMessage, RequestListener, Server as HttpServer, ServerResponse } from "node:http";
import type { Http2Server, Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { PortServer } from "./container-main.ts";
import { listenStream, type TlsFiles } from "./stream-server.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;
type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Takes the upgrade requests of this path; all others are requests like any (RFC 9110, 7.8: Upgrade may be ignored). */
export interface Upgrade {
  path: string;
  listener: UpgradeListener;
}

export interface HttpOptions {
  port: number;
  handler: (request: HttpRequest, response: HttpResponse) => void;
  upgrade?: Upgrade;
  /** Given for HTTPS. */
  tls?: TlsFiles;
  /** HTTP/2 too: by ALPN over TLS, by its preface without (RFC 9113, 3.3). */
  http2?: boolean;
}

/** A port that speaks HTTP. */
export function httpServer(options: HttpOptions): PortServer {
  return {
    port: options.port,
    open: (address, draining) => {
      const server = createHttp1(options, draining);
      const http2 = options.http2 ? createHttp2(options.handler) : undefined;
      if (options.tls) takeOver(server, "secureConnection", (socket) => chooseByAlpn(socket, options.tls, http2));
      else if (http2) takeOver(server, "connection", (socket) => chooseByPreface(socket, http2));
      return listenStream(server, address, () => {
        server.closeIdleConnections();
        http2?.close();
      });
    },
  };
}

function createHttp1({ handler, upgrade, tls, http2 }: HttpOptions, draining: () => boolean): HttpServer {
  // keepAliveTimeout: longer than a proxy keeps idle connections, so that it is never the backend that closes first.
  const options = {
    keepAliveTimeout: 95_000,
    headersTimeout: 60_000,
    requestTimeout: 0,
    ...acceptUpgrades(upgrade?.path),
  };
  const listener = closingWhen(draining, handler);
  const protocols = { ALPNProtocols: http2 ? ["h2", "http/1.1"] : ["http/1.1"] };
  const server = tls
    ? (process
        .getBuiltinModule("node:https")
        .createServer({ ...options, ...tls, ...protocols }, listener) as HttpServer)
    : process.getBuiltinModule("node:http").createServer(options, listener);
  if (upgrade) server.on("upgrade", upgrade.listener);
  return server;
}

/** Connections are HTTP/1.1's only when `choose` resolves to true. */
function takeOver(
  server: HttpServer,
  event: "connection" | "secureConnection",
  choose: (socket: TLSSocket) => boolean | Promise<boolean>,
): void {
  const serve = server.listeners(event) as ((socket: Socket) => void)[];
  server.removeAllListeners(event);
  const serveChosen = async (socket: TLSSocket): Promise<void> => {
    if (await choose(socket)) serve.forEach((listener) => listener.call(server, socket));
  };
  server.on(event, (socket: TLSSocket) => void serveChosen(socket));
}

function acceptUpgrades(path: string | undefined): { shouldUpgradeCallback?: (request: IncomingMessage) => boolean } {
  return path ? { shouldUpgradeCallback: (request) => request.url?.split("?", 1)[0] === path } : {};
}

/** While draining, each answer asks its client to come back over another connection (RFC 9112, 9.6). */
function closingWhen(draining: () => boolean, handler: RequestListener): RequestListener {
  return (request, response) => {
    if (draining()) response.setHeader("connection", "close");
    handler(request, response);
  };
}

interface LazyHttp2 {
  serve(socket: Socket): void;
  /** GOAWAY: streams under way end by themselves. */
  close(): void;
}

function createHttp2(handler: HttpOptions["handler"]): LazyHttp2 {
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | undefined;
  const create = (): Http2Server => {
    const created = process.getBuiltinModule("node:http2").createServer(handler);
    created.on("session", (session) => {
      sessions.add(session);
      session.once("close", () => sessions.delete(session));
    });
    return created;
  };
  return {
    serve: (socket) => void (server ??= create()).emit("connection", socket),
    close: () => sessions.forEach((session) => session.close()),
  };
}

/** False: it was taken. */
function chooseByAlpn(socket: TLSSocket, tls: TlsFiles | undefined, http2: LazyHttp2 | undefined): boolean {
  if (isRefused(socket, tls)) socket.destroy();
  else if (http2 && socket.alpnProtocol === "h2") http2.serve(socket);
  else return true;
  return false;
}

/** Where certificates are asked for without being insisted on, a wrong one is refused all the same: Go's
 * VerifyClientCertIfGiven. */
function isRefused(socket: TLSSocket, tls: TlsFiles | undefined): boolean {
  if (!tls?.requestCert || socket.authorized) return false;
  return socket.getPeerX509Certificate() !== undefined;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Resolves to false when the connection begins with HTTP/2's preface, and was taken. */
function chooseByPreface(socket: Socket, http2: LazyHttp2): Promise<boolean> {
  return new Promise((resolve) => {
    let begun = Buffer.alloc(0);
    // `readable`, not `data`: a socket that was paused does not read on under HTTP/2.
    const look = (): void => {
      begun = Buffer.concat([begun, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const length = Math.min(begun.length, preface.length);
      const fits = begun.subarray(0, length).equals(preface.subarray(0, length));
      if (fits && length < preface.length) return;
      socket.off("readable", look).off("error", dispose);
      socket.unshift(begun);
      if (fits) http2.serve(socket);
      resolve(!fits);
    };
    const dispose = (): void => void socket.destroy();
    socket.on("readable", look).on("error", dispose);
  });
}
