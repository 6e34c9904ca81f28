// Backends that speak HTTP/2, with node:http2's server.

import { once } from "node:events";
import { createSecureServer, createServer } from "node:http2";
import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";

export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, fields: string[]) => void;

export interface Http2Backend {
  port: number;
  server: Http2Server | Http2SecureServer;
  /** In the order they were opened; those that are gone included. */
  sessions: ServerHttp2Session[];
  close(): Promise<void>;
}

/** A backend by prior knowledge, or over TLS when `options` have a certificate. */
export async function startHttp2Backend(
  onStream: StreamHandler,
  options: SecureServerOptions = {},
): Promise<Http2Backend> {
  const server = options.cert !== undefined ? createSecureServer(options) : createServer(options);
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session: ServerHttp2Session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, fields: string[]) => {
    stream.on("error", () => {});
    onStream(stream, headers, fields);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const session of sessions) session.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, server, sessions, close };
}

/** Answers every request with `body`. */
export function answeringHttp2(
  body: string,
  headers: object = {},
  options: SecureServerOptions = {},
): Promise<Http2Backend> {
  return startHttp2Backend((stream) => {
    stream.respond({ ":status": 200, "content-length": body.length, ...headers });
    stream.end(body);
  }, options);
}
