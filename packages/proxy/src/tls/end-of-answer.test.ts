// An answer whose end is the connection's: clients over TLS tell one that is whole (close_notify) from one that broke off.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { BEST_IO } from "../io/network.ts";
import { createAuthority } from "../testing/certificates.ts";
import { startProxy, streamBackend } from "../testing/streams.ts";
import type { Resources } from "../testing/streams.ts";
import { listener, route, service, table } from "../testing/tables.ts";

const ALERT = 21;

/** A port that leads to `port`, and the type of the last TLS record that came back from there. */
async function watched(test: Resources, port: number): Promise<{ port: number; lastRecord: () => number }> {
  const received: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connectPlain({ port, host: "127.0.0.1", allowHalfOpen: true });
    onward.on("data", (bytes: Buffer) => received.push(bytes));
    onward.on("error", () => client.destroy());
    client.on("error", () => onward.destroy());
    client.pipe(onward).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => server.close());
  const lastRecord = (): number => {
    const bytes = Buffer.concat(received);
    let last = 0;
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) last = bytes[at]!;
    return last;
  };
  return { port: (server.address() as AddressInfo).port, lastRecord };
}

describe(`the end of an answer without a length over TLS (${BEST_IO})`, () => {
  for (const whole of [true, false])
    it(whole ? "is said when all of it was sent" : "is not said when it broke off", async (test) => {
      const { promise, resolve } = Promise.withResolvers<Socket>();
      const backend = await streamBackend(test, (socket) => {
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
          resolve(socket);
        });
      });
      const tls = { certificates: [{ hostnames: [], ...(await (await createAuthority()).issue("a.test")) }] };
      const configuration = table([listener({ "*": [route("/*", "s")] }, { tls })], [service("s", [backend.port])]);
      const proxy = await startProxy(test, configuration);
      const { port, lastRecord } = await watched(test, proxy.port);
      // Alerts can only be told from data before TLS 1.3.
      const client = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.2" });
      client.on("error", () => {});
      client.write("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
      let answer = "";
      client.on("data", (bytes: Buffer) => (answer += String(bytes)));
      while (!answer.endsWith("hello")) await once(client, "data");
      const origin = await promise;
      if (whole) origin.write("0\r\n\r\n");
      else origin.resetAndDestroy();
      await once(client, "close");
      assert.equal(lastRecord() === ALERT, whole);
    });
});
