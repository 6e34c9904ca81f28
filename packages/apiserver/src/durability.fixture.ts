// Those who live through the kills of the durability test: writers that know what they were promised, and watchers that
// resume where they were.

import assert from "node:assert/strict";
import { Agent, type IncomingMessage, request } from "node:http";

/** Where the server is now; pending while there is none. Rejects never. */
export type Port = () => Promise<number>;

export interface ConfigMap {
  metadata: { name: string; resourceVersion: string };
  data?: { value?: string };
}

export const collection = "/api/v1/namespaces/default/configmaps";
const connectionLost = Symbol("connection lost");

export interface Caller {
  /** The decoded answer. Rejects with `connectionLost` when it did not come whole: nobody knows then what was done. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<{ code: number; body: unknown }>;
  /** Lines as they come, until the connection ends. */
  lines(path: string): AsyncGenerator<string>;
}

/** Requests with this bearer token to wherever the server is. */
export function caller(port: Port, token: string): Caller {
  const agent = new Agent({ keepAlive: true });
  const send = async (method: string, path: string, body?: string, contentType = "application/json") => {
    const options = { agent, host: "127.0.0.1", port: await port(), method, path };
    const headers = { authorization: `Bearer ${token}`, "content-type": contentType };
    return new Promise<IncomingMessage>((resolve, reject) => {
      request({ ...options, headers }, resolve)
        .on("error", () => reject(connectionLost))
        .end(body);
    });
  };
  return {
    call: async (method, path, body, contentType) => {
      const response = await send(method, path, body === undefined ? undefined : JSON.stringify(body), contentType);
      let text = "";
      try {
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
      } catch {
        throw connectionLost;
      }
      return { code: response.statusCode ?? 0, body: JSON.parse(text) as unknown };
    },
    lines: async function* (path) {
      try {
        let rest = "";
        for await (const chunk of (await send("GET", path)).setEncoding("utf8")) {
          const whole = (rest + String(chunk)).split("\n");
          rest = whole.pop() ?? "";
          yield* whole;
        }
      } catch (error) {
        if (error !== connectionLost && (error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
      }
    },
  };
}

/** An object as a writer knows it: its value and revision, or that it is gone. */
interface Known {
  value: string | undefined;
  revision: number;
}

/** Creates, changes and deletes objects of its own, and holds the server to every answer it got. */
export class Writer {
  acknowledged = 0;
  readonly #objects = new Map<string, Known>();
  readonly #caller: Caller;
  readonly #name: string;
  readonly #random: () => number;
  #count = 0;

  constructor(callers: Caller, name: string, random: () => number) {
    this.#caller = callers;
    this.#name = name;
    this.#random = random;
  }

  /** One write; when its answer is lost, what became of it is found out before the next. */
  async step(): Promise<void> {
    const key = `${this.#name}-${Math.floor(this.#random() * 20)}`;
    const before = this.#objects.get(key);
    const value = `${++this.#count}`;
    const removes = before?.value !== undefined && this.#random() < 0.2;
    try {
      const { code, body } = await (removes ? this.#remove(key) : this.#put(key, value, before));
      assert.ok(code < 300, JSON.stringify(body));
      const revision = removes ? (before?.revision ?? 0) : Number((body as ConfigMap).metadata.resourceVersion);
      assert.ok(removes || revision > (before?.revision ?? 0), `${key} went back to revision ${revision}`);
      this.#objects.set(key, { value: removes ? undefined : value, revision });
      this.acknowledged++;
    } catch (error) {
      if (error !== connectionLost) throw error;
      await this.#findOut(key, before, removes ? undefined : value);
    }
  }

  #put(key: string, value: string, before: Known | undefined): ReturnType<Caller["call"]> {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: key }, data: { value } };
    if (before?.value === undefined) return this.#caller.call("POST", collection, object);
    return this.#caller.call("PATCH", `${collection}/${key}`, { data: { value } }, "application/merge-patch+json");
  }

  #remove(key: string): ReturnType<Caller["call"]> {
    return this.#caller.call("DELETE", `${collection}/${key}`);
  }

  /** A write without an answer was done once or not at all. */
  async #findOut(key: string, before: Known | undefined, wanted: string | undefined): Promise<void> {
    const { code, body } = await this.#again(`${collection}/${key}`);
    const found = code === 404 ? undefined : (body as ConfigMap);
    const value = found?.data?.value;
    assert.ok(value === wanted || value === before?.value, `${key} is ${value}: was ${before?.value}, then ${wanted}`);
    const revision = Number(found?.metadata.resourceVersion ?? before?.revision ?? 0);
    if (found && value === before?.value) assert.equal(revision, before?.revision, `${key} has another revision`);
    this.#objects.set(key, { value, revision });
  }

  async #again(path: string): ReturnType<Caller["call"]> {
    for (;;) {
      try {
        return await this.#caller.call("GET", path);
      } catch (error) {
        if (error !== connectionLost) throw error;
      }
    }
  }

  /** Everything that was promised is in `stored` (name to object), with the revision it was promised under. */
  verify(stored: ReadonlyMap<string, ConfigMap>): void {
    for (const [key, { value, revision }] of this.#objects) {
      const found = stored.get(key);
      assert.equal(found?.data?.value, value, key);
      if (found) assert.equal(Number(found.metadata.resourceVersion), revision, key);
    }
  }
}

/** Follows the collection over every restart, and holds the server to one history. */
export class Watcher {
  relisted = 0;
  resumed = 0;
  /** Of the last event or list. */
  revision = 0;
  readonly objects = new Map<string, string>();
  readonly #caller: Caller;
  readonly #history: Map<number, string>;

  /** `history` is shared: what one watcher was told of a revision, all are. */
  constructor(callers: Caller, history: Map<number, string>) {
    this.#caller = callers;
    this.#history = history;
  }

  /** One connection, from where this watcher is to where the connection ends. */
  async follow(): Promise<void> {
    if (this.revision === 0) await this.#list();
    this.resumed++;
    for await (const line of this.#caller.lines(`${collection}?watch=true&resourceVersion=${this.revision}`)) {
      const event = JSON.parse(line) as { type: string; object: ConfigMap & { code?: number } };
      if (event.type === "ERROR") {
        assert.equal(event.object.code, 410, line);
        this.revision = 0;
        return;
      }
      this.#take(event.type, event.object);
    }
  }

  #take(type: string, { metadata, data }: ConfigMap): void {
    const revision = Number(metadata.resourceVersion);
    assert.ok(revision > this.revision, `revision ${revision} after ${this.revision}`);
    const told = `${type} ${metadata.name} ${data?.value}`;
    assert.equal(this.#history.get(revision) ?? told, told, `revision ${revision} has two contents`);
    this.#history.set(revision, told);
    assert.equal(type === "ADDED", !this.objects.has(metadata.name), `${told}, which a gap or a double would explain`);
    this.revision = revision;
    if (type === "DELETED") this.objects.delete(metadata.name);
    else this.objects.set(metadata.name, data?.value ?? "");
  }

  async #list(): Promise<void> {
    try {
      const { body } = await this.#caller.call("GET", collection);
      const { items, metadata } = body as { items: ConfigMap[]; metadata: { resourceVersion: string } };
      this.objects.clear();
      for (const item of items) this.objects.set(item.metadata.name, item.data?.value ?? "");
      this.revision = Number(metadata.resourceVersion);
      this.relisted++;
    } catch (error) {
      if (error !== connectionLost) throw error;
    }
  }
}
