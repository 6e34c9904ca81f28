// What a client makes the proxy keep is bounded by bytes, however it cuts them, and what it no longer wants is not kept at all.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Transport } from "../io/transport.ts";
import { Flag, frame, FrameClient, FrameType, PREFACE, requestFields } from "../testing/http2-frames.ts";
import { exchangeBytes, ok, RawClient, startBackend, until } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import { Outbox } from "./outbox.ts";
import { SessionReader } from "./session-reader.ts";
import type { SessionEvents } from "./session-reader.ts";
import { StreamOutput } from "./stream-output.ts";

/** Resolves when all that was sent so far has been read. */
async function isRead(client: FrameClient): Promise<void> {
  client.send(frame(FrameType.ping, 0, 0, "whether!"));
  await client.frame(({ type, flags }) => type === FrameType.ping && (flags & Flag.ack) !== 0, "answer to PING");
}

describe("a body that has to wait", () => {
  it("and comes byte by byte is kept as bytes: it goes on in few pieces", async () => {
    let asked = 0;
    const backend = await startBackend((socket, received) => {
      if (received.startsWith("GET")) asked++;
      if (received.endsWith("\r\n0\r\n\r\n")) socket.write(ok("B"));
    });
    const limited = { ...service("s", [backend.port]), limits: { connections: 1, queue: 1 } };
    await withProxy([limited], async ({ port }) => {
      const first = new RawClient(port).send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      await until(() => asked === 1);
      const count = 5000;
      const client = new FrameClient(port).open(1);
      client.send(...Array.from({ length: count }, () => frame(FrameType.data, 0, 1, "x"))).data(1, "", true);
      await isRead(client);
      backend.sockets.forEach((socket) => socket.write(ok("A")));
      await first.until((received) => received.endsWith("A"));
      assert.equal(await client.outcome(1), 200);
      const body = backend.received.join("").split("\r\n\r\n").slice(2).join("");
      const sizes = [...body.matchAll(/^([0-9a-f]+)\r$/gm)].map(([, size]) => Number.parseInt(size!, 16));
      assert.equal(
        sizes.reduce((sum, size) => sum + size),
        count,
      );
      assert.ok(sizes.length < 20, `${sizes.length} pieces`);
      client.destroy();
      first.destroy();
    });
    await backend.close();
  });
});

describe("what a slow client has still to get of an answer that breaks off", () => {
  it("is not written over by what is read next", async () => {
    const size = 12_000_000;
    const backend = await startBackend((socket, received) => {
      if (!received.endsWith("\r\n\r\n")) return;
      const broken = received.includes("GET /broken");
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      socket.write(`${size.toString(16)}\r\n`);
      socket.write(
        Buffer.concat([Buffer.alloc(size, broken ? "a" : "b"), Buffer.from(broken ? "?" : "\r\n0\r\n\r\n")]),
      );
    });
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      const most = Buffer.from([0x7f, 0, 0, 0]);
      const client = new FrameClient(port, [[4, 0x7fffffff]]).send(frame(FrameType.windowUpdate, 0, 0, most));
      client.socket.pause();
      client.request(1, requestFields([], "GET", "/broken"));
      // Just enough that the backend gets rid of everything.
      while (records.length === 0) {
        client.socket.read(4096);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(records[0]!.reason, "backend-chunk-data-not-terminated");
      for (let other = 0; other < 3; other++)
        await exchangeBytes(port, "GET /other HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
      client.socket.resume();
      await client.frame(({ type }) => type === FrameType.rstStream, "RST_STREAM");
      const data = client.frames.filter(({ type }) => type === FrameType.data).map(({ payload }) => payload);
      assert.equal(Buffer.concat(data).indexOf("b"), -1);
      client.destroy();
    });
    await backend.close();
  });
});

async function collect(): Promise<void> {
  // References live until the end of the turn in which they were made.
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

describe("memory that was read into", () => {
  it("is not held by the connection when all of it was taken", async () => {
    const nothing = (): void => {};
    const taken: string[] = [];
    const events = new Proxy({} as SessionEvents, {
      get: (_, name) => (name === "onPing" ? (payload: string) => taken.push(payload) : nothing),
    });
    const reader = new SessionReader(events, 1024);
    const read = (bytes: Buffer): WeakRef<Buffer> => {
      reader.read(bytes, bytes.length);
      return new WeakRef(bytes);
    };
    read(Buffer.concat([Buffer.from(PREFACE), frame(FrameType.settings, 0, 0)]));
    const last = read(Buffer.concat([frame(FrameType.ping, 0, 0, "12345678"), frame(FrameType.data, 0, 1, "abc")]));
    await collect();
    assert.equal(last.deref(), undefined);
    assert.deepEqual(taken, ["12345678"]);
  });
});

describe("answers that a client takes back", () => {
  for (const [name, blocked] of [
    ["the connection's window is used up", false],
    ["the client does not read", true],
  ] as const) {
    it(`are not kept while ${name}`, async () => {
      const outbox = new Outbox({ blocked, unsent: 0, write() {}, writeAll() {} } as unknown as Transport);
      outbox.window = 0;
      const owner = { onOutputSent() {} };
      const add = (id: number): StreamOutput => {
        const output = new StreamOutput(id, 1000, owner);
        output.addHead("\x88");
        output.addText("content");
        output.addEnd("");
        outbox.list(output);
        outbox.send();
        return output;
      };
      const addAndDrop = (id: number): WeakRef<StreamOutput> => {
        const output = add(id);
        outbox.remove(output);
        return new WeakRef(output);
      };
      const wanted = add(1);
      const taken = [3, 5, 7].map(addAndDrop);
      await collect();
      assert.deepEqual(
        taken.map((each) => each.deref()),
        [undefined, undefined, undefined],
      );
      assert.equal(wanted.listed, true);
    });
  }
});

describe("a client that takes back what waits for a window", () => {
  it("is served on, and others on its connection, too", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(ok("x".repeat(40_000)));
    });
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      // Enough for the first and half of the second.
      const client = new FrameClient(port, [[4, 1_000_000]]).request(1).request(3).request(5);
      await until(() => records.length === 3);
      await isRead(client);
      client.reset(3).reset(5).request(7, requestFields([], "HEAD"));
      assert.equal(await client.outcome(7), 200);
      client.request(9).send(frame(FrameType.windowUpdate, 0, 0, "\0\x01\0\0"));
      const end = await client.frame(({ stream, flags, type }) => stream === 9 && type === 0 && (flags & 1) === 1);
      assert.ok(end.payload.length > 0);
      client.destroy();
    });
    await backend.close();
  });
});
