// gRPC over node:http2 (grpc/doc/PROTOCOL-HTTP2.md), as far as unary methods go: one message in, one message out.

import type { IncomingHttpHeaders, Http2Server, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { PortServer } from "./container-main.ts";
import { listenStream, type TlsFiles } from "./stream-server.ts";

/** Status codes of gRPC that are used here. */
export const grpcStatus = { ok: 0, internal: 13, unimplemented: 12, resourceExhausted: 8 } as const;

/** Thrown by a method: the status the client gets. */
export class GrpcError extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

export interface GrpcCall {
  /** `/package.Service/Method`. */
  path: string;
  /** Names in lower case, every value on its own, pseudo headers that gRPC shows included. */
  metadata: [name: string, value: string][];
  authority: string;
  message: Buffer;
  /** Present over TLS. */
  socket: TLSSocket | undefined;
}

/** Returns the encoded answer; throws a GrpcError. */
export type GrpcHandler = (call: GrpcCall) => Buffer;

/** grpc-go's default. */
const maxMessageBytes = 4 * 1024 * 1024;
/** `compressed` and a length. */
const prefixBytes = 5;

/** A port that speaks gRPC: HTTP/2 by prior knowledge, or over TLS by ALPN. */
export function grpcServer(port: number, tls: TlsFiles | undefined, handler: GrpcHandler): PortServer {
  return {
    port,
    open: (address) => {
      const sessions = new Set<ServerHttp2Session>();
      const server = createServer(tls);
      server.on("session", (session) => {
        sessions.add(session);
        session.on("error", () => session.destroy());
        session.once("close", () => sessions.delete(session));
      });
      server.on("stream", (stream, headers, _flags, rawHeaders) => answer(stream, headers, rawHeaders, handler));
      return listenStream(server, address, () => sessions.forEach((session) => session.close()));
    },
  };
}

function createServer(tls: TlsFiles | undefined): Http2Server {
  const http2 = process.getBuiltinModule("node:http2");
  if (!tls) return http2.createServer();
  const server = http2.createSecureServer({ ...tls, ALPNProtocols: ["h2"] });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & Record<string, unknown>,
  rawHeaders: readonly string[],
  handler: GrpcHandler,
): void {
  stream.on("error", () => stream.destroy());
  const refused = refusal(headers);
  if (refused) return stream.respond({ ":status": refused.status, ...refused.headers }, { endStream: true });
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxMessageBytes + prefixBytes) chunks.push(chunk);
  });
  stream.on("end", () => {
    try {
      const message = firstMessage(Buffer.concat(chunks), size, String(headers["grpc-encoding"] ?? "identity"));
      succeed(stream, handler({ ...callOf(stream, headers, rawHeaders), message }));
    } catch (error) {
      fail(stream, error instanceof GrpcError ? error : new GrpcError(grpcStatus.internal, (error as Error).message));
    }
  });
}

/** What is no gRPC at all gets an HTTP answer, as grpc-go gives it. */
function refusal(headers: Record<string, unknown>): { status: number; headers: Record<string, string> } | undefined {
  if (headers[":method"] !== "POST") return { status: 405, headers: { "grpc-status": String(grpcStatus.internal) } };
  if (/^application\/grpc(?:[+;]|$)/.test(String(headers["content-type"] ?? ""))) return undefined;
  return { status: 415, headers: { "grpc-status": String(grpcStatus.internal) } };
}

function firstMessage(data: Buffer, size: number, encoding: string): Buffer {
  if (data.length < prefixBytes) throw new GrpcError(grpcStatus.internal, "the request has no message");
  const length = data.readUInt32BE(1);
  if (length > maxMessageBytes) {
    const text = `grpc: received message larger than max (${length} vs. ${maxMessageBytes})`;
    throw new GrpcError(grpcStatus.resourceExhausted, text);
  }
  if (data.readUInt8(0) !== 0) {
    const text = `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`;
    throw new GrpcError(grpcStatus.unimplemented, text);
  }
  if (size < prefixBytes + length) throw new GrpcError(grpcStatus.internal, "the request's message is cut off");
  return data.subarray(prefixBytes, prefixBytes + length);
}

/** Not metadata, but gRPC's own. */
const reserved = /^(:(?!authority)|te$|grpc-(timeout|encoding|message|status|message-type|accept-encoding)$)/;

function callOf(
  stream: ServerHttp2Stream,
  headers: Record<string, unknown>,
  rawHeaders: readonly string[],
): Omit<GrpcCall, "message"> {
  const metadata: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    if (reserved.test(name)) continue;
    metadata.push([name, name.endsWith("-bin") ? Buffer.from(value, "base64").toString("latin1") : value]);
  }
  const socket = stream.session?.socket as TLSSocket | undefined;
  return {
    path: String(headers[":path"] ?? ""),
    metadata,
    authority: String(headers[":authority"] ?? headers.host ?? ""),
    socket: stream.session?.encrypted ? socket : undefined,
  };
}

function succeed(stream: ServerHttp2Stream, message: Buffer): void {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(grpcStatus.ok), "grpc-message": "" }));
  stream.end(Buffer.concat([prefix, message]));
}

/** Trailers only: one block of headers says it all. */
function fail(stream: ServerHttp2Stream, { status, message }: GrpcError): void {
  const text = message.replace(/[^\x20-\x24\x26-\x7e]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
  const headers = { "content-type": "application/grpc", "grpc-status": String(status), "grpc-message": text };
  stream.respond({ ":status": 200, ...headers }, { endStream: true });
}
