// Request bodies, pipelining and keep-alive, and the record a request leaves.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AccessRecord } from "./proxy.ts";
import { answering, exchangeBytes, ok, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { service } from "./testing/tables.ts";
import { withProxy } from "./testing/with-proxy.ts";
import type { Variations } from "./testing/with-proxy.ts";

interface Setup {
  port: number;
  backend: Backend;
  records: AccessRecord[];
}

/** A proxy whose host `a.test` leads to `backend`, for the time of `run`. */
async function withBackend(
  backend: Backend,
  run: (setup: Setup) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  const services = [service("s", [backend.port])];
  await withProxy(services, ({ port, records }) => run({ port, backend, records }), { hostname: "a.test", ...more });
  await backend.close();
}

const close = "Connection: close\r\n";

describe("request bodies", () => {
  it("with a length and chunked reach the backend, trailers included, and the answer comes back", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("abcde") || received.endsWith("X-T: 1\r\n\r\n")) socket.write(ok("done"));
    });
    await withBackend(backend, async ({ port }) => {
      const client = new RawClient(port);
      client.send("POST /1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nab");
      client.send("cde");
      await client.until((received) => received.endsWith("done"));
      client.received = "";
      const chunks = "2;ext\r\nab\r\n3\r\ncde\r\n0\r\nX-T: 1\r\nHost: evil\r\n\r\n";
      client.send(`POST /2 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
      await client.until((received) => received.endsWith("done"));
      client.destroy();
      const [first, second] = backend.received[0]!.split("POST /2");
      assert.match(first!, /Content-Length: 5\r\n[^]*\r\n\r\nabcde$/);
      assert.match(second!, /Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\nX-T: 1\r\n\r\n$/);
    });
  });

  it("wait for 100 Continue, which is relayed", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (received.endsWith("body")) socket.write(ok("done"));
    });
    await withBackend(backend, async ({ port }) => {
      const client = new RawClient(port);
      client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
      await client.until((received) => received === "HTTP/1.1 100 Continue\r\n\r\n");
      client.send("body");
      await client.until((received) => received.endsWith("done"));
      client.destroy();
    });
  });

  it("left unread by an early answer close the connection afterwards", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.includes("\r\n\r\n")) socket.write(ok("no thanks"));
    });
    await withBackend(backend, async ({ port }) => {
      const client = new RawClient(port).send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc");
      assert.match(await client.untilEnd(), /no thanks$/);
      client.destroy();
    });
  });
});

describe("connections", () => {
  it("serve pipelined requests in order", async () => {
    const backend = await startBackend((socket, received, connection) => {
      const paths = [...received.matchAll(/GET (\/\d+) /g)].map((match) => match[1]!);
      // Later requests are answered faster: order must come from the proxy.
      if (received.endsWith("\r\n\r\n")) setImmediate(() => socket.write(ok(`${connection}:${paths.at(-1)};`)));
    });
    await withBackend(backend, async ({ port }) => {
      const requests = [1, 2, 3, 4].map((each) => `GET /${each} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join("");
      const client = new RawClient(port).send(requests);
      const got = await client.until((received) => received.includes("/4;"));
      assert.deepEqual(got.match(/\/\d;/g), ["/1;", "/2;", "/3;", "/4;"]);
      client.destroy();
    });
  });

  it("of HTTP/1.0 clients stay when asked and the length is known", async () => {
    await withBackend(await answering(ok("x")), async ({ port }) => {
      const request = "GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n";
      const client = new RawClient(port).send(request);
      await client.until((received) => received.endsWith("\r\nConnection: keep-alive\r\n\r\nx"));
      client.received = "";
      client.send(request);
      await client.until((received) => received.endsWith("x"));
      client.destroy();
      assert.match(await exchangeBytes(port, "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"), /Connection: close/);
    });
  });

  it("leave an access record per request", async () => {
    await withBackend(await answering(ok("hello")), async ({ port, records, backend }) => {
      await exchangeBytes(port, `GET /x?y HTTP/1.1\r\nHost: a.test\r\nUser-Agent: t/1\r\nReferer: /r\r\n${close}\r\n`);
      await exchangeBytes(port, `GET /x HTTP/1.1\r\nHost: b.test\r\n${close}\r\n`);
      const [first, second] = records;
      assert.deepEqual(
        { ...first!, time: 0, duration: 0, clientPort: 0 },
        {
          time: 0,
          duration: 0,
          listener: "web",
          clientAddress: "127.0.0.1",
          clientPort: 0,
          method: "GET",
          target: "/x?y",
          protocol: "HTTP/1.1",
          host: "a.test",
          userAgent: "t/1",
          referer: "/r",
          status: 200,
          bytes: 5,
          requestCount: 1,
          route: "r",
          service: "s",
          endpoint: `127.0.0.1:${backend.port}`,
          endpointName: `pod-${backend.port}`,
          retries: 0,
          reason: "",
        },
      );
      assert.ok(first!.clientPort > 0 && first!.duration > 0 && Math.abs(Date.now() - first!.time) < 60_000);
      assert.deepEqual(
        [second!.status, second!.reason, second!.route, second!.bytes],
        [404, "no-virtual-host", "", 19],
      );
    });
  });
});
