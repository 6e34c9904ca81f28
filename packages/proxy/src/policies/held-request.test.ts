// The buffer filter: bodies are read whole before anybody is sent anything.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { Filter } from "../routing-table.ts";
import { answerWith, startHttpBackend } from "../testing/http-backend.ts";
import type { HttpBackend } from "../testing/http-backend.ts";
import { exchangeBytes, GET_CLOSE, RawClient, startBackend, until } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";

const buffer = (maxBytes: number): Filter => ({ type: "buffer", maxBytes });

async function withBuffer(
  maxBytes: number,
  run: (setup: Setup & { backend: HttpBackend }) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  const backend = await startHttpBackend((response, { body }) => answerWith(response, 200, `got ${body}`));
  try {
    await withProxy([service("s", [backend.port])], (setup) => run({ ...setup, backend }), {
      ...more,
      route: { filters: [buffer(maxBytes)], ...more.route },
    });
  } finally {
    await backend.close();
  }
}

const post = (framing: string): string => `POST / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\nConnection: close\r\n\r\n`;

describe("buffered bodies", () => {
  it("are sent on when they are complete, with their length", async () => {
    await withBuffer(10, async ({ port, backend, proxy }) => {
      const client = new RawClient(port).send(`${post("Transfer-Encoding: chunked")}5\r\nhello\r\n`);
      await until(() => proxy.stats().listeners["web"]!.active === 1);
      client.send("4\r\n you\r\n");
      // Nothing can have been sent while no connection was made.
      assert.equal(Object.values(proxy.stats().endpoints)[0]!.connectionsOpened, 0);
      client.send("0\r\n\r\n");
      assert.match(await client.untilEnd(), /got hello you$/);
      const { headers } = backend.requests[0]!;
      assert.deepEqual([headers["content-length"], headers["transfer-encoding"]], ["9", undefined]);
    });
  });

  it("keep their trailers", async () => {
    await withBuffer(10, async ({ port, backend }) => {
      await exchangeBytes(port, `${post("Transfer-Encoding: chunked")}2\r\nok\r\n0\r\nX-T: 1\r\n\r\n`);
      assert.deepEqual([backend.requests[0]!.body, backend.requests[0]!.trailers["x-t"]], ["ok", "1"]);
    });
  });

  it("may be as long as the filter says, and no longer", async () => {
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const cases: [request: string, status: string][] = [
      [`${post("Content-Length: 10")}0123456789`, "200"],
      [`${post("Content-Length: 11")}0123456789x`, "413"],
      [`${post("Transfer-Encoding: chunked")}${chunk("01234")}${chunk("56789")}0\r\n\r\n`, "200"],
      [`${post("Transfer-Encoding: chunked")}${chunk("01234")}${chunk("56789x")}0\r\n\r\n`, "413"],
      // Its end is not waited for.
      [`${post("Transfer-Encoding: chunked")}${chunk("0123456789x")}`, "413"],
    ];
    await withBuffer(10, async ({ port, backend, records }) => {
      for (const [request, status] of cases) {
        const before = backend.requests.length;
        assert.equal((await exchangeBytes(port, request)).slice(9, 12), status, request);
        assert.equal(backend.requests.length - before, status === "200" ? 1 : 0);
        if (status === "413") assert.equal(records.at(-1)!.reason, "request-body-too-long");
      }
    });
  });

  it("do not end a connection when they are too long, but whole", async () => {
    await withBuffer(1, async ({ port }) => {
      const client = new RawClient(port).send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n",
      );
      await client.until((received) => received.startsWith("HTTP/1.1 413 "));
      client.received = "";
      client.send(GET_CLOSE);
      assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
    });
  });

  it("are asked for where the client waits for that, once", async () => {
    await withBuffer(10, async ({ port, backend }) => {
      const client = new RawClient(port).send(post("Content-Length: 5\r\nExpect: 100-continue"));
      await client.until((received) => received === "HTTP/1.1 100 Continue\r\n\r\n");
      client.send("hello");
      const answer = await client.untilEnd();
      assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [^]*got hello$/);
      assert.equal(backend.requests[0]!.headers.expect, undefined);
      const refused = await exchangeBytes(port, post("Content-Length: 11\r\nExpect: 100-continue"));
      assert.match(refused, /^HTTP\/1\.1 413 /);
    });
  });

  it("are sent again by retries, however long", async () => {
    let count = 0;
    const backend = await startHttpBackend((response, { body }) => answerWith(response, count++ < 2 ? 503 : 200, body));
    await withProxy(
      [service("s", [backend.port])],
      async ({ port }) => assert.match(await exchangeBytes(port, `${post("Content-Length: 5")}hello`), /hello$/),
      {
        route: { filters: [buffer(10)], retry: { statuses: [503], attempts: 2, backoff: 0 } },
        limits: { replayBytes: 1 },
      },
    );
    assert.equal(backend.requests.length, 3);
    await backend.close();
  });

  it("do not concern requests without one, nor pipelined ones behind", async () => {
    await withBuffer(5, async ({ port, backend }) => {
      const keep = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
      const answer = await exchangeBytes(port, `${keep}ab${keep}cd${GET_CLOSE}`);
      assert.deepEqual(
        answer.match(/got .*/g)?.map((each) => each.slice(0, 6)),
        ["got ab", "got cd", "got "],
      );
      assert.equal(backend.requests.length, 3);
    });
  });

  it("that do not come in time: 504 by the route, 408 by the proxy", async () => {
    const cases: [more: Variations, status: string, reason: string][] = [
      [{ route: { timeouts: { request: 60 }, filters: [buffer(9)] } }, "504", "request-timeout"],
      [{ limits: { stallTimeout: 60 } }, "408", "request-body-timeout"],
    ];
    for (const [more, status, reason] of cases) {
      await withBuffer(
        9,
        async ({ port, records, proxy }) => {
          assert.equal((await exchangeBytes(port, `${post("Content-Length: 5")}he`)).slice(9, 12), status);
          assert.equal(records[0]!.reason, reason);
          assert.equal(proxy.stats().services["s"]!.active, 0);
        },
        more,
      );
    }
  });

  it("of clients that leave are forgotten", async () => {
    await withBuffer(9, async ({ port, records, backend }) => {
      const client = new RawClient(port).send(`${post("Content-Length: 5")}he`);
      await once(client.socket, "connect");
      client.destroy();
      await until(() => records.length === 1);
      assert.equal(records[0]!.status, 499);
      assert.equal(backend.requests.length, 0);
    });
  });

  it("count in tunnels as little as without the filter", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n"))
        socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
      else socket.write(received.split("\r\n\r\n")[1]!);
    });
    await withProxy(
      [service("s", [backend.port])],
      async ({ port }) => {
        const client = new RawClient(port).send(
          "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        );
        await client.until((received) => received.endsWith("\r\n\r\n"));
        client.send("0123456789");
        await client.until((received) => received.endsWith("0123456789"));
        client.destroy();
      },
      { route: { filters: [buffer(1)] } },
    );
    await backend.close();
  });
});
