// The cheapest honest client: HTTP/1.1 over one connection, one request at a time. Node's own client takes as much processor
// time as the server, and both share this machine's cores.

import type { ConnectionOptions } from "@gatehouse/apimachinery/api-connection";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure, type ConnectionOptions as TlsOptions } from "node:tls";

export interface Target {
  host: string;
  port: number;
  /** Absent: without TLS. */
  tls?: Pick<TlsOptions, "ca" | "cert" | "key" | "rejectUnauthorized" | "servername">;
  /** Lines of every request's head. */
  headers?: string;
}

/** An API server, as a kubeconfig's context says how to reach it. */
export function apiServerTarget(connection: ConnectionOptions): Target {
  const { protocol, hostname, port } = new URL(connection.server ?? "");
  const { certificateAuthority: ca, clientCertificate: cert, clientKey: key, tlsServerName: servername } = connection;
  const token = typeof connection.token === "function" ? connection.token() : connection.token;
  return {
    host: hostname,
    port: Number(port || (protocol === "https:" ? 443 : 80)),
    ...(protocol === "https:"
      ? {
          tls: {
            ...(ca ? { ca } : {}),
            ...(cert ? { cert } : {}),
            ...(key ? { key } : {}),
            ...(servername ? { servername } : {}),
            rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
          },
        }
      : {}),
    headers: token ? `authorization: Bearer ${token}\r\n` : "",
  };
}

export interface RawAnswer {
  status: number;
  body: string;
}

const lastChunk = Buffer.from("0\r\n\r\n");

/** One connection. Answers have a content-length, or come in chunks (as long ones of Go's server do). */
export class RawClient {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #headers: string;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the whole answer, once its head is there. */
  #wanted = 0;
  #chunked = false;
  #waiting: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, { host, port, headers = "" }: Target) {
    this.#socket = socket;
    this.#host = `${host}:${port}`;
    this.#headers = headers;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("close", () => this.#waiting?.reject(new Error("the server closed the connection")));
    socket.on("error", (error) => this.#waiting?.reject(error));
  }

  static open(target: Target): Promise<RawClient> {
    const { host, port, tls } = target;
    return new Promise((resolve, reject) => {
      const opened = (): void => resolve(new RawClient(socket, target));
      const socket: Socket = tls ? connectSecure({ host, port, ...tls }, opened) : connectPlain({ host, port }, opened);
      socket.once("error", reject);
    });
  }

  request(method: string, path: string, body = "", contentType = "application/json"): Promise<RawAnswer> {
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nuser-agent: bench\r\naccept: application/json\r\n`;
    const entity = body ? `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` : "";
    return this.#send(`${head}${this.#headers}${entity}\r\n${body}`);
  }

  /** Asks for a page of `host`, whatever host this is connected to. */
  get(host: string, path: string): Promise<RawAnswer> {
    return this.#send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\n\r\n`);
  }

  /** Sends a watch; every piece that arrives goes to `onData`. */
  watch(path: string, onData: (chunk: Buffer) => void): void {
    this.#socket.removeAllListeners("data").on("data", onData);
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nhost: ${this.#host}\r\naccept: application/json\r\n${this.#headers}\r\n`,
    );
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #send(message: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error("the server closed the connection"));
      this.#waiting = { resolve, reject };
      this.#socket.write(message);
    });
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // Most answers come in one piece; a long list is put together once.
    if (this.#size < this.#wanted || (this.#chunked && !chunk.subarray(-5).equals(lastChunk))) return;
    const received = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const end = received.indexOf("\r\n\r\n");
    if (end >= 0) {
      const head = received.toString("latin1", 0, end);
      if (/\r\ntransfer-encoding: chunked/i.test(head)) return this.#takeChunked(head, received, end + 4);
      this.#wanted = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (this.#size >= this.#wanted) return this.#finish(Number(head.slice(9, 12)), received.subarray(end + 4));
    }
    this.#chunks = [received];
  }

  #takeChunked(head: string, received: Buffer, start: number): void {
    this.#chunked = true;
    this.#chunks = [received];
    if (!received.subarray(-5).equals(lastChunk)) return;
    const pieces: Buffer[] = [];
    for (let at = start; ;) {
      const line = received.indexOf("\r\n", at);
      const size = Number.parseInt(received.toString("latin1", at, line), 16);
      if (size === 0) break;
      pieces.push(received.subarray(line + 2, line + 2 + size));
      at = line + 2 + size + 2;
    }
    this.#finish(Number(head.slice(9, 12)), Buffer.concat(pieces));
  }

  #finish(status: number, body: Buffer): void {
    this.#chunks = [];
    this.#size = this.#wanted = 0;
    this.#chunked = false;
    this.#waiting?.resolve({ status, body: body.toString("utf8") });
  }
}
