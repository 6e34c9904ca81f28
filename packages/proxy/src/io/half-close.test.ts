// What both ways of doing I/O promise about connections that are closed half by half.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { BEST_IO } from "./network.ts";
import type { Io } from "./network.ts";
import { listening } from "../testing/listening.ts";
import type { Transport } from "./transport.ts";

interface Resources {
  after(close: () => unknown): void;
}

async function connected(test: Resources, io: Io): Promise<{ transport: Transport; client: Socket }> {
  let accept: (transport: Transport) => void;
  const accepted = new Promise<Transport>((resolve) => (accept = resolve));
  const server = await listening(io, (each) => accept(each));
  test.after(() => server.close());
  const client = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  test.after(() => client.destroy());
  return { transport: await accepted, client };
}

for (const io of BEST_IO === "sockets" ? (["sockets"] as const) : (["handles", "sockets"] as const)) {
  describe(`transports (${io})`, () => {
    it("send all that was written before the end, also to a peer that has closed its half meanwhile", async (test) => {
      const { transport, client } = await connected(test, io);
      const ended = new Promise<void>((resolve) => {
        transport.handler = { onData() {}, onDrain() {}, onClose() {}, onEnd: resolve };
      });
      // More than the kernel takes: the end waits behind it, and the peer's comes first.
      const size = 16 * 1024 * 1024;
      transport.write(Buffer.alloc(size));
      transport.end();
      client.end();
      await ended;
      let received = 0;
      client.on("data", (bytes) => (received += bytes.length));
      await once(client, "end");
      assert.equal(received, size);
    });

    it("are gone when they are reset, also while their end is on its way", async (test) => {
      for (const ending of [false, true]) {
        const { transport, client } = await connected(test, io);
        const gone = new Promise<unknown>((resolve) => {
          transport.handler = { onData() {}, onDrain() {}, onEnd() {}, onClose: resolve };
        });
        const seen = new Promise<unknown>((resolve) => {
          client.on("error", resolve).on("end", () => resolve(null));
        });
        client.resume();
        if (ending) transport.end();
        transport.reset();
        assert.equal(await gone, null);
        if (!ending) assert.equal(((await seen) as NodeJS.ErrnoException).code, "ECONNRESET");
        else assert.equal(await seen, null);
      }
    });
  });
}
