// Clients that ask for more than they read: what is not read is not asked for, so that nothing piles up in the proxy.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answering, ok, RawClient } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { service } from "./testing/tables.ts";
import { withProxy } from "./testing/with-proxy.ts";

/** Resolves when `count` has been the same for a while; turns of the event loop are all that counts. */
async function settled(count: () => number): Promise<number> {
  let seen = -1;
  for (let same = 0; same < 300;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (count() === seen) same++;
    else [seen, same] = [count(), 0];
  }
  return seen;
}

const BODY = 32 * 1024;

describe("pipelined requests whose answers nobody reads", () => {
  const cases: [name: string, host: string, total: number, backend: () => Promise<Backend>][] = [
    ["of the proxy itself", "unknown.test", 100_000, () => answering(ok(""))],
    ["of a backend", "a.test", 1000, () => answering(ok("x".repeat(BODY)))],
  ];
  for (const [name, host, total, start] of cases) {
    it(`${name}: are not read on, and go on when they are`, async () => {
      const backend = await start();
      await withProxy(
        [service("s", [backend.port])],
        async ({ port, records }) => {
          const client = new RawClient(port);
          client.socket.pause();
          const request = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
          client.send(request.repeat(total - 1)).send(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
          const served = await settled(() => records.length);
          assert.ok(served > 0 && served < total / 2, `${served} of ${total} served`);
          let length = 0;
          client.socket.removeAllListeners("data");
          client.socket.on("data", (bytes) => (length += bytes.length)).resume();
          await client.untilEnd();
          assert.equal(records.length, total);
          assert.ok(length > total * (host === "a.test" ? BODY : 100));
          client.destroy();
        },
        { hostname: "a.test" },
      );
      await backend.close();
    });
  }
});
