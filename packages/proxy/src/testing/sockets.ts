// Raw sockets for tests: a client that writes bytes and waits for what it expects, and backends that are scripted.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { connectToProxy } from "./variant.ts";

/** A client connection that keeps everything it received, as Latin-1. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;
  #wake: (() => void)[] = [];

  constructor(port: number, options: { host?: string; localAddress?: string; allowHalfOpen?: boolean } = {}) {
    this.socket = connectToProxy({ port, host: "127.0.0.1", noDelay: true, ...options });
    this.socket.on("data", (bytes) => this.#note(() => (this.received += bytes.toString("latin1"))));
    this.socket.on("end", () => this.#note(() => (this.ended = true)));
    this.socket.on("close", () => this.#note(() => (this.closed = true)));
    this.socket.on("error", () => {});
  }

  #note(change: () => void): void {
    change();
    for (const wake of this.#wake.splice(0)) wake();
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Resolves when `fits` holds; rejects when the peer is done before. */
  async until(fits: (received: string) => boolean, what = "expected bytes"): Promise<string> {
    while (!fits(this.received)) {
      if (this.ended || this.closed) throw new Error(`${what} did not come, only: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.received;
  }

  /** Everything until the peer closes its half. */
  async untilEnd(): Promise<string> {
    while (!this.ended && !this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Sends bytes on a connection of their own and returns the whole answer once the peer closes. */
export async function exchangeBytes(port: number, text: string): Promise<string> {
  const client = new RawClient(port).send(text);
  const answer = await client.untilEnd();
  client.destroy();
  return answer;
}

export interface Backend {
  port: number;
  server: Server;
  /** What arrived, one entry per connection. */
  received: string[];
  sockets: Set<Socket>;
  close(): Promise<void>;
}

/** A backend that hands every connection's data to `onData` with what that connection received so far. */
export async function startBackend(
  onData: (socket: Socket, received: string, connection: number) => void,
  port = 0,
): Promise<Backend> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = received.push("") - 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      received[connection] += bytes.toString("latin1");
      onData(socket, received[connection]!, connection);
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, server, received, sockets, close };
}

/** A backend that answers every body-less request with `answer` (a whole message). */
export function answering(answer: string): Promise<Backend> {
  const answered = new Map<number, number>();
  return startBackend((socket, received, connection) => {
    const requests = received.split("\r\n\r\n").length - 1;
    for (let done = answered.get(connection) ?? 0; done < requests; done++) socket.write(answer, "latin1");
    answered.set(connection, requests);
  });
}

/** `HTTP/1.1 200` with a body of its length. */
export function ok(body: string, lines = ""): string {
  return `HTTP/1.1 200 OK\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

export const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
export const GET_CLOSE = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

/** Sends `count` requests one after another on one connection and returns the bodies. */
export async function inTurn(port: number, count: number): Promise<string[]> {
  const client = new RawClient(port);
  const bodies: string[] = [];
  for (let done = 0; done < count; done++) {
    client.received = "";
    client.send(GET);
    const answer = await client.until((received) => /\r\n\r\n./.test(received));
    assert.match(answer, /^HTTP\/1\.1 200 /);
    bodies.push(answer.split("\r\n\r\n")[1]!);
  }
  client.destroy();
  return bodies;
}

/** The next connection the backend accepts. */
export async function accepted(backend: Backend): Promise<Socket> {
  const [socket] = (await once(backend.server, "connection")) as [Socket];
  return socket;
}

/** A port nobody listens on. */
export async function closedPort(): Promise<number> {
  const backend = await answering(ok(""));
  await backend.close();
  return backend.port;
}

/** Resolves once `fits` holds, looked at again and again. */
export async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await new Promise((resolve) => setImmediate(resolve));
}
