// A watch as it is sent, in an HTTP response or over a WebSocket: events as lines, in order, without letting a slow client grow
// our memory.

import type { Writable } from "node:stream";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Status } from "@gatehouse/apimachinery/status-error";
import type { EventView } from "./answer-encoding.ts";
import type { WatchEventType, WatchSink } from "../verbs/watch.ts";

interface QueuedEvent {
  type: WatchEventType;
  object: KubeObject;
}

/** Events held for a client that does not read; beyond it the connection is closed and the client lists again. */
const maxQueued = 10_000;

/**
 * Writes events while the client keeps up and queues references to them (never their encoding) while it does not.
 * `show` turns an object into what this client asked for; without it, known encodings are reused.
 */
export class WatchResponse implements WatchSink {
  readonly #response: Writable;
  readonly #show: EventView | undefined;
  #queue: QueuedEvent[] = [];
  #initial = true;
  #ended = false;

  constructor(response: Writable, show?: EventView) {
    this.#response = response;
    this.#show = show;
    response.on("drain", () => this.#drain());
  }

  send(type: WatchEventType, object: KubeObject, json?: string): void {
    if (this.#ended) return;
    if (this.#queue.length === 0 && !this.#response.writableNeedDrain) {
      this.#write(type, object, json);
      return;
    }
    this.#queue.push({ type, object });
    if (!this.#initial && this.#queue.length > maxQueued) this.#response.destroy();
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
    if (this.#queue.length === 0) this.#response.end();
  }

  #drain(): void {
    let sent = 0;
    while (sent < this.#queue.length && !this.#response.writableNeedDrain) {
      const { type, object } = this.#queue[sent++] as QueuedEvent;
      this.#write(type, object);
    }
    this.#queue.splice(0, sent);
    if (this.#ended && this.#queue.length === 0) this.#response.end();
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
