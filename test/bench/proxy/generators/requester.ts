// One client connection that sends the same request again and again, one at a time.

import { connect, type Socket } from "node:net";

const buffer = Buffer.alloc(64 * 1024);

export function requestBytes(path: string): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: gatehouse-bench/1.0\r\nAccept: */*\r\n\r\n`,
    "latin1",
  );
}

/** Bytes of the whole answer when its head is complete, else undefined. Answers have a Content-Length here. */
export function answerLength(text: string): number | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  return end + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
}

export class Requester {
  readonly #socket: Socket;
  readonly #bytes: Buffer;
  /** Answer bytes so far. */
  #answer = "";
  /** Whether it can send again. */
  alive = true;
  onAnswer: (ok: boolean) => void = () => {};

  private constructor(socket: Socket, bytes: Buffer) {
    this.#socket = socket;
    this.#bytes = bytes;
  }

  static open(host: string, port: number, path: string): Promise<Requester> {
    return new Promise((resolve, reject) => {
      let requester: Requester | undefined;
      const onread = {
        buffer,
        callback: (length: number) => {
          requester?.read(buffer.toString("latin1", 0, length));
          return true;
        },
      };
      const socket = connect({ host, port, noDelay: true, onread }, () => {
        requester = new Requester(socket, requestBytes(path));
        resolve(requester);
      });
      socket.once("error", reject);
      socket.on("close", () => requester?.fail());
    });
  }

  send(): void {
    this.#answer = "";
    this.#socket.write(this.#bytes);
  }

  read(text: string): void {
    this.#answer += text;
    const length = answerLength(this.#answer);
    if (length === undefined || this.#answer.length < length) return;
    this.onAnswer(this.#answer.startsWith("HTTP/1.1 200 "));
  }

  fail(): void {
    this.alive = false;
    this.onAnswer(false);
  }

  close(): void {
    this.onAnswer = () => {};
    this.#socket.destroy();
  }
}
