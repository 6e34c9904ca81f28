// Memory that bytes were read into is read into again once nobody needs it, and not before: what is on its way to a slow reader
// stays what it is, and idle connections hold none.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { ReadBuffers, SHARED } from "./io/read-buffers.ts";
import { Flag, FrameClient, FrameType, requestFields } from "./testing/http2-frames.ts";
import { connectToProxy } from "./testing/variant.ts";
import { ok, RawClient, startBackend } from "./testing/sockets.ts";
import { eventually } from "./testing/streams.ts";
import { service } from "./testing/tables.ts";
import { withProxy } from "./testing/with-proxy.ts";

describe("what a slow reader has still to get", () => {
  for (const size of [600_000, 8_000_000, 12_000_000]) {
    it(`is not written over by the next answer from the same memory, ${size} bytes`, async () => {
      let asked = 0;
      const backend = await startBackend((socket, received) => {
        if (!received.endsWith("\r\n\r\n")) return;
        const body = Buffer.alloc(size, asked++ === 0 ? "a" : "b");
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
        socket.write(body);
      });
      await withProxy([service("s", [backend.port])], async ({ port, proxy }) => {
        const slow = connectToProxy({ port, host: "127.0.0.1" });
        slow.on("error", () => {});
        slow.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await once(slow, "readable");
        const chunks: Buffer[] = [];
        const idle = (): boolean => Object.values(proxy.stats().endpoints)[0]?.connectionsIdle === 1;
        const read = (most?: number): number => {
          const chunk = slow.read(most) as Buffer | null;
          if (chunk !== null) chunks.push(chunk);
          return chunks.reduce((sum, { length }) => sum + length, 0);
        };
        // Just enough that the backend gets rid of everything.
        await eventually(() => idle() || (read(4096), false));
        for (let other = 0; other < 3; other++) {
          const quick = connectToProxy({ port, host: "127.0.0.1" });
          quick.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
          quick.resume();
          await once(quick, "close");
        }
        slow.on("readable", () => read());
        await eventually(() => read() > size);
        const text = Buffer.concat(chunks).toString("latin1");
        const body = text.slice(text.indexOf("\r\n\r\n") + 4);
        assert.equal(body.length, size);
        assert.equal(body.indexOf("b"), -1);
        slow.destroy();
      });
      await backend.close();
    });
  }
});

/** More connections than may have large memory at a time. */
const MANY = 70;
const BODY = "x".repeat(48 * 1024);

/** Of the next connection that carries a large body, in bytes. */
function nextMemory(): number {
  const buffers = new ReadBuffers();
  buffers.borrow(SHARED.subarray(0, 1));
  const { length } = buffers.next();
  buffers.giveBack();
  return length;
}

/** Sends a body and waits for the answer; the connection stays. */
async function uploadOverHttp1(port: number): Promise<() => void> {
  const client = new RawClient(port).send(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  );
  await client.until((received) => received.endsWith("done"));
  return () => client.destroy();
}

async function uploadOverHttp2(port: number): Promise<() => void> {
  const client = new FrameClient(port).open(1, requestFields([["content-length", String(BODY.length)]], "POST"));
  const piece = BODY.slice(0, 16 * 1024);
  for (let sent = piece.length; sent <= BODY.length; sent += piece.length) client.data(1, piece, sent === BODY.length);
  await client.frame(({ type, flags }) => type === FrameType.data && (flags & Flag.endStream) !== 0, "answer");
  return () => client.destroy();
}

describe("connections that have carried a large body and are idle", () => {
  for (const [protocol, upload] of [
    ["HTTP/1.1", uploadOverHttp1],
    ["HTTP/2", uploadOverHttp2],
  ] as const) {
    it(`leave the memory to others, over ${protocol}`, async () => {
      const served = new WeakMap<object, number>();
      const backend = await startBackend((socket, received) => {
        const end = served.get(socket) ?? 0;
        const head = received.indexOf("\r\n\r\n", end);
        if (head < 0 || received.length < head + 4 + BODY.length) return;
        served.set(socket, head + 4 + BODY.length);
        socket.write(ok("done"));
      });
      await withProxy([service("s", [backend.port])], async ({ port }) => {
        const before = nextMemory();
        const leave: (() => void)[] = [];
        for (let count = 0; count < MANY; count++) leave.push(await upload(port));
        const after = nextMemory();
        for (const each of leave) each();
        await backend.close();
        assert.equal(after, before);
      });
    });
  }
});
