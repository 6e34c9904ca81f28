// A gRPC client and service of the smallest kind for tests: length-prefixed messages over HTTP/2 (gRPC over HTTP/2), whose
// payload is text.

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

/** Length-Prefixed-Message, not compressed. */
export function message(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Takes messages out of a stream of bytes cut anywhere. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);

  read(bytes: Buffer): string[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: string[] = [];
    while (this.#rest.length >= 5) {
      const end = 5 + this.#rest.readUInt32BE(1);
      if (this.#rest.length < end) break;
      messages.push(this.#rest.toString("utf8", 5, end));
      this.#rest = this.#rest.subarray(end);
    }
    return messages;
  }
}

/** One call. `status` resolves with grpc-status and grpc-message wherever they came, `-1` when there were none. */
export class Call {
  readonly stream: ClientHttp2Stream;
  readonly messages: string[] = [];
  readonly status: Promise<{ code: number; message: string; httpStatus: number; trailersOnly: boolean }>;
  headers: IncomingHttpHeaders = {};
  #wake: (() => void)[] = [];

  constructor(session: ClientHttp2Session, path: string, more: OutgoingHttpHeaders = {}) {
    const headers = { ":method": "POST", ":authority": "a.test", ":path": path, te: "trailers", ...more };
    this.stream = session.request({ "content-type": "application/grpc+proto", ...headers }, { endStream: false });
    const reader = new MessageReader();
    let trailers: IncomingHttpHeaders = {};
    let trailersOnly = false;
    this.stream.on("error", () => {});
    this.stream.on("response", (got, flags) => {
      this.headers = got;
      trailersOnly = (flags & 1) !== 0;
    });
    this.stream.on("trailers", (got) => (trailers = got));
    this.stream.on("data", (bytes: Buffer) => {
      this.messages.push(...reader.read(bytes));
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.status = new Promise((resolve) => {
      this.stream.once("close", () => {
        for (const wake of this.#wake.splice(0)) wake();
        const all = { ...this.headers, ...trailers };
        const text = decodeURIComponent(String(all["grpc-message"] ?? ""));
        const httpStatus = Number(all[":status"] ?? 0);
        resolve({ code: Number(all["grpc-status"] ?? -1), message: text, httpStatus, trailersOnly });
      });
    });
  }

  send(...texts: string[]): this {
    for (const text of texts) this.stream.write(message(text));
    return this;
  }

  end(): this {
    this.stream.end();
    return this;
  }

  /** Until so many messages have come; rejects when the call ends before. */
  async received(count: number): Promise<string[]> {
    while (this.messages.length < count) {
      if (this.stream.closed) throw new Error(`call ended after ${this.messages.length} messages`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.messages;
  }
}
