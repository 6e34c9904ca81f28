// A watch as it is sent, in an HTTP response or over a WebSocket: events as lines, in order, without letting a slow client grow
// our memory.

import type { Duplex, Writable } from "node:stream";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Status } from "@gatehouse/apimachinery/status-error";
import type { EventView } from "./answer-encoding.ts";
import { setWriteLimit } from "./write-limit.ts";
import type { WatchEventType, WatchSink } from "../verbs/watch.ts";

interface QueuedEvent {
  type: WatchEventType;
  object: KubeObject;
  /** Of the object's encoding; nothing for the state a watch begins with, which is held anyway. */
  size: number;
}

/**
 * Events held for a client that does not read, by their number and by the size of their objects; beyond either the connection is
 * closed and the client lists again.
 */
const maxQueued = 10_000;
const maxQueuedBytes = 32 * 1024 * 1024;
/** What a watch's connection buffers as text; the queue holds no text. */
const bufferedBytes = 256 * 1024;

/**
 * Writes events while the client keeps up and queues references to them (never their encoding) while it does not.
 * `show` turns an object into what this client asked for; without it, known encodings are reused.
 */
export class WatchResponse implements WatchSink {
  readonly #response: Writable;
  readonly #show: EventView | undefined;
  #queue: QueuedEvent[] = [];
  #queuedBytes = 0;
  #restore = (): void => undefined;
  #initial = true;
  #ended = false;

  /** `socket` is the connection behind `response`, when it is one that buffers much for other answers. */
  constructor(response: Writable, show?: EventView, socket?: Duplex | null) {
    this.#response = response;
    this.#show = show;
    if (socket && socket.writableHighWaterMark > bufferedBytes) this.#limit(socket);
    response.on("drain", () => this.#drain());
  }

  /** Other answers come on the same connection when this one is over. */
  #limit(socket: Duplex): void {
    const usual = socket.writableHighWaterMark;
    setWriteLimit(socket, bufferedBytes);
    this.#restore = () => setWriteLimit(socket, usual);
  }

  send(type: WatchEventType, object: KubeObject, json?: string, size = 0): void {
    if (this.#ended) return;
    if (this.#queue.length === 0 && !this.#response.writableNeedDrain) {
      this.#write(type, object, json);
      return;
    }
    this.#queue.push({ type, object, size });
    this.#queuedBytes += size;
    if (this.#initial) return;
    if (this.#queue.length > maxQueued || this.#queuedBytes > maxQueuedBytes) this.#response.destroy();
  }

  fail(status: Status): void {
    this.#response.write(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`);
  }

  /** What comes from now on counts against the limit; the state a watch begins with may be of any size. */
  started(): void {
    this.#initial = false;
  }

  end(): void {
    this.#ended = true;
    if (this.#queue.length === 0) this.#finish();
  }

  #finish(): void {
    this.#restore();
    this.#response.end();
  }

  #drain(): void {
    let sent = 0;
    while (sent < this.#queue.length && !this.#response.writableNeedDrain) {
      const { type, object, size } = this.#queue[sent++] as QueuedEvent;
      this.#queuedBytes -= size;
      this.#write(type, object);
    }
    this.#queue.splice(0, sent);
    if (this.#ended && this.#queue.length === 0) this.#finish();
  }

  #write(type: WatchEventType, object: KubeObject, json?: string): void {
    let shown: string;
    try {
      shown = this.#show ? JSON.stringify(this.#show(type, object)) : (json ?? JSON.stringify(object));
    } catch (error) {
      // What cannot be shown ends this watch, and nothing else.
      this.#response.destroy(error as Error);
      return;
    }
    this.#response.write(`{"type":"${type}","object":${shown}}\n`);
  }
}
