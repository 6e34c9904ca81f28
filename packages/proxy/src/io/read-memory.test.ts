// Memory that a connection has read into, and that somebody still has to send, is nobody else's.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { BEST_IO, dial } from "./network.ts";
import type { Io } from "./network.ts";
import type { Transport } from "./transport.ts";

/** Reads twice from a connection to `port`: what was borrowed of the second read, after `use` has been called. */
function readTwice(test: TestContext, io: Io, port: number, use: (transport: Transport) => void): Promise<Buffer> {
  return new Promise((resolve) => {
    const transport = dial(io, "127.0.0.1", port, () => transport.write("go"));
    test.after(() => transport.destroy());
    let reads = 0;
    const onData = (bytes: Buffer, end: number): void => {
      // The first is copied, as it lies in memory that all share.
      const borrowed = transport.borrow(bytes.subarray(0, end));
      if (++reads === 1) return;
      transport.pause();
      use(transport);
      resolve(borrowed);
    };
    transport.handler = { onData, onEnd() {}, onDrain() {}, onClose() {} };
  });
}

for (const io of BEST_IO === "sockets" ? (["sockets"] as const) : (["handles", "sockets"] as const)) {
  describe(`memory that is read into (${io})`, () => {
    it("and kept while its connection becomes idle is not given to another one", async (test) => {
      let fill = 0;
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.write(Buffer.alloc(4 * 1024 * 1024, ++fill)));
      }).listen(0, "127.0.0.1");
      test.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const first = await readTwice(test, io, port, (transport) => {
        // As a connection does whose answer is whole, and then the client's that cannot send all of it.
        transport.releaseReadBuffer();
        transport.keepReadBuffer();
      });
      const second = await readTwice(test, io, port, () => {});
      assert.notEqual(second.buffer, first.buffer);
      assert.ok(first.every((byte) => byte === 1) && second.every((byte) => byte === 2));
    });
  });
}
