// Endpoints of connections carried as they are that go away while the client is sending.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { BEST_IO } from "../io/network.ts";
import { table } from "../testing/tables.ts";
import {
  ending,
  eventually,
  startProxy,
  streamBackend,
  streamListener,
  streamTo,
  tcpService,
} from "../testing/streams.ts";

/** With FIN the proxy's next write is answered by RST, so that the one after it fails. */
const ENDINGS = {
  FIN: { end: (socket: Socket) => socket.destroy(), more: 256 * 1024, code: "epipe" },
  RST: { end: (socket: Socket) => socket.resetAndDestroy(), more: 1024, code: "econnreset" },
} as const;

for (const io of BEST_IO === "sockets" ? (["sockets"] as const) : (["handles", "sockets"] as const)) {
  describe(`an endpoint that goes away while the client is sending (${io})`, () => {
    const configuration = (port: number) => table([streamListener(streamTo({ a: 1 }))], [tcpService("a", [port])]);

    for (const how of ["FIN", "RST"] as const) {
      it(`by ${how}: what it had said arrives`, async (test) => {
        let client: Socket;
        const { end, more, code } = ENDINGS[how];
        const backend = await streamBackend(test, (socket) => {
          socket.once("data", () => {
            client.write("x".repeat(more));
            // Both ends of everything are in this process: the proxy reads, and writes in vain, before it can read the farewell.
            setImmediate(() => {
              socket.write("farewell");
              end(socket);
            });
          });
        });
        const { port, records } = await startProxy(test, configuration(backend.port), { io });
        client = connect({ port, host: "127.0.0.1" });
        test.after(() => client.destroy());
        let heard = "";
        client.on("data", (bytes) => (heard += String(bytes)));
        client.write("x");
        await ending(client);
        assert.equal(heard, "farewell");
        await eventually(() => records.length === 1);
        assert.deepEqual([records[0]!.reason, records[0]!.bytes], [`backend-connection-${code}`, 8]);
      });
    }

    it("before the client has read all: no more is taken from it", async (test) => {
      const backend = await streamBackend(test, (socket) => socket.write(Buffer.alloc(32 * 1024 * 1024)));
      const { port, records, proxy } = await startProxy(test, configuration(backend.port), { io });
      const client = connect({ port, host: "127.0.0.1" });
      test.after(() => client.destroy());
      client.pause();
      await once(client, "connect");
      const { streams } = proxy.stats();
      assert.ok(streams["s"] !== undefined);
      const moved = (): number => proxy.stats().streams["s"]!.sent;
      // Nobody reads: at last nothing moves.
      for (let before = -1, turns = 0; turns < 50; turns = moved() === before ? turns + 1 : 0) {
        before = moved();
        await new Promise((resolve) => setImmediate(resolve));
      }
      backend.sockets[0]!.resetAndDestroy();
      client.write(Buffer.alloc(32 * 1024 * 1024));
      const taken = (): number => proxy.stats().streams["s"]!.received;
      await eventually(() => taken() > 0);
      const first = taken();
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(taken(), first);
      await ending(client);
      await eventually(() => records.length === 1);
      assert.equal(records[0]!.reason, "backend-connection-econnreset");
    });
  });
}
