// Memory that bytes were read into is read into again once nobody needs it, and not before: what is on its way to a slow reader
// stays what it is, and idle connections hold none.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { connectToProxy } from "./testing/variant.ts";
import { startBackend } from "./testing/sockets.ts";
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
