// WebSockets as a server (RFC 6455): the handshake with a subprotocol, and a WebSocket as a plain byte stream. The protocol
// itself is the library's.

import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import type { RawData, ServerOptions, WebSocket } from "ws";

export type { WebSocket } from "ws";

/** Larger messages end the connection (1009). Kubernetes takes 32 MiB; clients send far less. */
const maxMessageBytes = 16 * 1024 * 1024;
/** How long a client may take to answer a close. */
const closeTimeoutMs = 2_000;

/** True for a request that asks to become a WebSocket, whether or not it is well formed. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

/** The subprotocols a client offers, best first. */
export function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers["sec-websocket-protocol"] ?? "";
  return header
    .split(",")
    .map((protocol) => protocol.trim())
    .filter(Boolean);
}

/**
 * Completes the handshake, choosing the client's best subprotocol among `supported`; resolves with undefined after answering
 * 400 or 426 to what is no handshake, or to a client that offers only others. `""` in `supported` admits clients that offer none.
 */
export async function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  supported: readonly string[],
): Promise<WebSocket | undefined> {
  const offered = offeredProtocols(request);
  const chosen = offered.length === 0 ? "" : offered.find((protocol) => supported.includes(protocol));
  if (chosen === undefined || !supported.includes(chosen)) {
    const names = supported.filter(Boolean).join(", ");
    refuseUpgrade(socket, 400, `none of the offered subprotocols is supported; there are: ${names}`);
    return undefined;
  }
  const { WebSocketServer } = await import("ws");
  // `closeTimeout` is missing from the library's types.
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    closeTimeout: closeTimeoutMs,
    handleProtocols: () => chosen,
  };
  const server = new WebSocketServer(options);
  return new Promise((resolve) => {
    // After a refused handshake the library closes the socket, and nothing else comes.
    socket.once("close", () => resolve(undefined));
    server.handleUpgrade(request, socket, head, (webSocket) => {
      // Broken frames close the connection with their code; there is nobody else to tell.
      webSocket.on("error", () => {});
      resolve(webSocket);
    });
  });
}

/** An HTTP answer in plain text on a connection that was to be upgraded, and its end. */
export function refuseUpgrade(socket: Duplex, code: number, text: string, headers: string[] = []): void {
  const reason = reasonPhrases[code] ?? "Error";
  const lines = [
    `HTTP/1.1 ${code} ${reason}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...headers,
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}

const reasonPhrases: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  500: "Internal Server Error",
};

/** Binary messages, one after the other, as a byte stream; ending it closes the WebSocket normally. */
export function webSocketStream(webSocket: WebSocket): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => webSocket.resume(),
    write: (chunk: Buffer, _encoding, callback) => webSocket.send(chunk, { binary: true }, callback),
    final: (callback) => {
      webSocket.close(1000);
      callback();
    },
    destroy: (error, callback) => {
      if (webSocket.readyState === webSocket.OPEN) webSocket.close(error ? 1011 : 1000);
      callback(error);
    },
  });
  webSocket.on("message", (data, isBinary) => {
    // 1003: a kind of data that is not understood here.
    if (!isBinary) return webSocket.close(1003);
    if (!stream.push(messageBytes(data))) webSocket.pause();
  });
  webSocket.on("close", () => {
    stream.push(null);
    stream.destroy();
  });
  return stream;
}

/** The payload of a message in one piece. */
export function messageBytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
