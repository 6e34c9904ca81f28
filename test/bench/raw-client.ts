// The cheapest honest client: HTTP/1.1 over one TLS connection, one request at a time. Node's own client takes as much
// processor time as the server, and both share this machine's cores.

import { connect, type TLSSocket } from "node:tls";

export interface Target {
  host: string;
  port: number;
  ca: string;
  cert: string;
  key: string;
}

export interface RawAnswer {
  status: number;
  body: string;
}

const lastChunk = Buffer.from("0\r\n\r\n");

/** One connection. Answers have a content-length, or come in chunks (as long ones of Go's server do). */
export class RawClient {
  readonly #socket: TLSSocket;
  readonly #host: string;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the whole answer, once its head is there. */
  #wanted = 0;
  #chunked = false;
  #waiting: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: TLSSocket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("close", () => this.#waiting?.reject(new Error("the server closed the connection")));
    socket.on("error", (error) => this.#waiting?.reject(error));
  }

  static open(target: Target): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(target, () => resolve(new RawClient(socket, `${target.host}:${target.port}`)));
      socket.once("error", reject);
    });
  }

  request(method: string, path: string, body = "", contentType = "application/json"): Promise<RawAnswer> {
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nuser-agent: bench\r\naccept: application/json\r\n`;
    const entity = body ? `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` : "";
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${head}${entity}\r\n${body}`);
    });
  }

  /** Sends a watch; every piece that arrives goes to `onData`. */
  watch(path: string, onData: (chunk: Buffer) => void): void {
    this.#socket.removeAllListeners("data").on("data", onData);
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: ${this.#host}\r\naccept: application/json\r\n\r\n`);
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
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
