// Kubernetes' channels over a WebSocket: every message begins with the number of the channel it belongs to. Variants: binary
// or base64 text, and since v5 the client can half-close a channel (KEP-4006).

import { Readable, Writable } from "node:stream";
import { messageBytes, type WebSocket } from "@gatehouse/apimachinery/websocket-server";

/** A v5 message on this channel closes the one whose number it carries. */
const closeChannel = 255;
const ascii0 = 0x30;

/** The channels of one WebSocket. Ask for all readable ones before anything can arrive. */
export class WebSocketChannels {
  readonly #webSocket: WebSocket;
  readonly #base64: boolean;
  readonly #readables = new Map<number, Readable>();
  readonly #full = new Set<Readable>();

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    const { protocol } = webSocket;
    this.#base64 = protocol.includes("base64");
    const halfCloses = protocol.startsWith("v5.");
    webSocket.on("message", (data, isBinary) => {
      const bytes = messageBytes(data);
      const message = this.#base64 ? fromBase64(bytes) : bytes;
      // 1003: a kind of data that is not understood here.
      if (isBinary === this.#base64 || !message) return webSocket.close(1003);
      const [channel] = message;
      if (channel === undefined) return;
      if (halfCloses && channel === closeChannel) this.#readables.get(message[1] ?? closeChannel)?.push(null);
      else this.#receive(channel, message.subarray(1));
    });
    webSocket.on("close", () => {
      for (const readable of this.#readables.values()) readable.destroy();
    });
  }

  /** What the client sends on a channel; messages on a channel that nobody asked for are dropped. */
  readable(channel: number): Readable {
    const readable = new Readable({ read: () => this.#drained(readable) });
    readable.on("error", () => {});
    readable.on("close", () => {
      this.#readables.delete(channel);
      this.#drained(readable);
    });
    this.#readables.set(channel, readable);
    return readable;
  }

  writable(channel: number): Writable {
    const writable = new Writable({
      write: (chunk: Buffer, _encoding, callback) => this.send(channel, chunk, callback),
      decodeStrings: true,
    });
    writable.on("error", () => {});
    this.#webSocket.on("close", () => writable.destroy());
    return writable;
  }

  /** One message; `callback` when it is written, with an error when it cannot be. */
  send(channel: number, payload: Buffer, callback: (error?: Error) => void = () => {}): void {
    if (this.#base64) {
      const text = String.fromCharCode(ascii0 + channel) + payload.toString("base64");
      this.#webSocket.send(text, { binary: false }, callback);
    } else this.#webSocket.send(Buffer.concat([Buffer.from([channel]), payload]), { binary: true }, callback);
  }

  #receive(channel: number, payload: Buffer): void {
    const readable = this.#readables.get(channel);
    if (!readable || readable.readableEnded || payload.length === 0) return;
    if (readable.push(payload)) return;
    this.#full.add(readable);
    this.#webSocket.pause();
  }

  #drained(readable: Readable): void {
    if (this.#full.delete(readable) && this.#full.size === 0) this.#webSocket.resume();
  }
}

/** Undefined for what is no channel digit with base64 after it. */
function fromBase64(text: Buffer): Buffer | undefined {
  const [digit = 0] = text;
  const rest = text.toString("latin1", 1);
  if (digit < ascii0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(rest)) return undefined;
  return Buffer.concat([Buffer.from([digit - ascii0]), Buffer.from(rest, "base64")]);
}
