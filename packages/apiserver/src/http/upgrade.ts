// Requests that ask for another protocol (RFC 9110, 7.8) on their way in: a connection that may still be answered as any other,
// or taken over for a WebSocket or for SPDY.

import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Readable, type Duplex, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { acceptWebSocket, offeredProtocols, type WebSocket } from "@gatehouse/apimachinery/websocket-server";
import { withoutToken } from "../auth/websocket-token.ts";

/** For node:http(s) servers: every other upgrade that is offered (h2c, say) is left alone. */
export const upgradeOptions: { shouldUpgradeCallback: (request: IncomingMessage) => boolean } = {
  shouldUpgradeCallback: ({ headers }) => /^(?:websocket|spdy\/3\.1)$/i.test(headers.upgrade ?? ""),
};

/** A connection whose client asked for another protocol. */
export class Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request already. */
  readonly head: Buffer;
  /** For an answer in HTTP, with which the connection ends. */
  readonly response: ServerResponse;

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer) {
    this.request = request;
    this.socket = socket;
    this.head = head;
    this.response = new ServerResponse(request);
    this.response.shouldKeepAlive = false;
    // Any stream will do: the same is done by servers for the streams they are given.
    this.response.assignSocket(socket as Socket);
    this.response.on("finish", () => socket.end());
    socket.on("drain", () => this.response.emit("drain"));
    socket.on("error", () => socket.destroy());
  }

  /** The subprotocols that the client offers, without credentials. */
  get protocols(): string[] {
    return withoutToken(offeredProtocols(this.request));
  }

  /** From here on nothing of HTTP is written. `response` still tells when the connection closes; `signal` closes it. */
  takeOver(signal: AbortSignal): void {
    this.response.statusCode = 101;
    this.response.detachSocket(this.socket as Socket);
    this.socket.once("close", () => this.response.emit("close"));
    if (signal.aborted) this.socket.destroy();
    signal.addEventListener("abort", () => this.socket.destroy(), { once: true });
  }

  /** The connection as a WebSocket; undefined when the client's handshake was refused. */
  async webSocket(signal: AbortSignal, supported: readonly string[]): Promise<WebSocket | undefined> {
    this.takeOver(signal);
    try {
      return await acceptWebSocket(this.request, this.socket, this.head, supported);
    } catch (error) {
      this.socket.destroy();
      throw error;
    }
  }
}

/** A writable that sends each chunk as a message of its own: text, or as `encode` makes it. */
export function messageWriter(
  webSocket: WebSocket,
  encode: (chunk: string | Buffer) => string | Buffer = String,
): Writable {
  const writable = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, callback) => webSocket.send(encode(chunk), callback),
    final: (callback) => {
      webSocket.close(1000);
      callback();
    },
    destroy: (error, callback) => {
      if (webSocket.readyState === webSocket.OPEN) webSocket.terminate();
      callback(error);
    },
  });
  writable.on("error", () => {});
  webSocket.on("close", () => writable.destroy());
  return writable;
}

/** Subprotocols for a stream that goes one way, a log (k8s apimachinery, pkg/util/httpstream/wsstream, Reader). */
export const readerProtocols: readonly string[] = ["binary.k8s.io", "base64.binary.k8s.io", ""];

/** Resolves when all is sent, or the client gone. */
export async function sendStream(webSocket: WebSocket, stream: Readable): Promise<void> {
  const base64 = webSocket.protocol.includes("base64");
  const writer = messageWriter(webSocket, (chunk) =>
    base64 ? Buffer.from(chunk).toString("base64") : Buffer.from(chunk),
  );
  writer.on("close", () => stream.destroy());
  stream.pipe(writer);
  await finished(writer).catch(() => undefined);
}
