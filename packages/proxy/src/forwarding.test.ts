// What backends see of a request and clients of an answer, byte for byte.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AccessRecord } from "./proxy.ts";
import type { Filter } from "./routing-table.ts";
import { answering, exchangeBytes, ok, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { service } from "./testing/tables.ts";
import { scheme } from "./testing/variant.ts";
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

/** Lower-case field -> values, as the backend got them. */
function fields(message: string): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const line of message.split("\r\n\r\n")[0]!.split("\r\n").slice(1)) {
    const [name = "", value = ""] = line.split(/: ?(.*)/);
    result.set(name.toLowerCase(), [...(result.get(name.toLowerCase()) ?? []), value]);
  }
  return result;
}

describe("request fields", () => {
  it("keep Host and end-to-end fields, tell the client's address, and lose what concerns one connection", async () => {
    await withBackend(await answering(ok("")), async ({ port, backend }) => {
      await exchangeBytes(
        port,
        "GET /x?y=1 HTTP/1.1\r\nHost: a.test:8080\r\nAccept: */*\r\nConnection: close, X-Hop, Host\r\nX-Hop: 1\r\n" +
          "Proxy-Authorization: Basic eA==\r\nProxy-Authenticate: Basic\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers, deflate\r\nHTTP2-Settings: AAA\r\nCookie: c\r\n\r\n",
      );
      assert.equal(
        backend.received[0],
        "GET /x?y=1 HTTP/1.1\r\nHost: a.test:8080\r\nAccept: */*\r\nCookie: c\r\n" +
          `X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: a.test:8080\r\nX-Forwarded-Port: 8080\r\nX-Forwarded-Proto: ${scheme()}\r\n` +
          "X-Forwarded-Server: gateway-1\r\nX-Real-Ip: 127.0.0.1\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
      );
    });
  });

  const spoofed =
    "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-host: evil\r\nX-FORWARDED-PROTO: https\r\nX-Forwarded-Port: 666\r\n" +
    "X-Forwarded-Server: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Prefix: /evil\r\n" +
    "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n";
  const spoofing = `GET / HTTP/1.1\r\nHost: a.test\r\n${spoofed}${close}\r\n`;

  it("of strangers about other clients are replaced", async () => {
    await withBackend(await answering(ok("")), async ({ port, backend }) => {
      await exchangeBytes(port, spoofing);
      assert.doesNotMatch(backend.received[0]!, /evil|6\.6|7\.7|666|X-FORWARDED-PROTO/);
      const got = fields(backend.received[0]!);
      assert.deepEqual(got.get("x-forwarded-for"), ["127.0.0.1"]);
      assert.deepEqual(got.get("x-forwarded-host"), ["a.test"]);
      assert.deepEqual(got.get("x-forwarded-proto"), [scheme()]);
    });
  });

  it("of trusted proxies are believed and continued", async () => {
    const trusting = { listener: { trustedProxies: ["10.0.0.0/8", "127.0.0.0/8"] } };
    const run = async ({ port, backend }: Setup): Promise<void> => {
      await exchangeBytes(port, spoofing);
      const got = fields(backend.received[0]!);
      assert.deepEqual(got.get("x-forwarded-for"), ["6.6.6.6, 7.7.7.7, 127.0.0.1"]);
      assert.deepEqual(got.get("x-forwarded-proto"), ["https"]);
      assert.deepEqual(got.get("x-forwarded-host"), ["evil"]);
      assert.deepEqual(got.get("x-forwarded-port"), ["666"]);
      assert.deepEqual(got.get("x-forwarded-prefix"), ["/evil"]);
      assert.deepEqual(got.get("x-real-ip"), ["6.6.6.6"]);
      assert.deepEqual(got.get("x-forwarded-server"), ["gateway-1"]);
    };
    await withBackend(await answering(ok("")), run, trusting);
  });

  it("are not believed when the peer is outside the trusted ranges", async () => {
    const run = async ({ port, backend }: Setup): Promise<void> => {
      await exchangeBytes(port, spoofing);
      assert.deepEqual(fields(backend.received[0]!).get("x-forwarded-for"), ["127.0.0.1"]);
    };
    await withBackend(await answering(ok("")), run, {
      listener: { trustedProxies: ["10.0.0.0/8", "nonsense", "127.0.0.2"] },
    });
  });

  it("follow the filters of route and backend", async () => {
    const filters: Filter[] = [
      {
        type: "requestHeaders",
        set: [{ name: "A", value: "new" }],
        add: [{ name: "B", value: "2" }],
        remove: ["x-real-ip", "C"],
      },
      { type: "rewrite", hostname: "inner.test", path: { type: "prefix", value: "/base" } },
    ];
    const run = async ({ port, backend }: Setup): Promise<void> => {
      await exchangeBytes(port, `GET /x?q HTTP/1.1\r\nHost: a.test\r\na: old\r\nB: 1\r\nc: 3\r\n${close}\r\n`);
      assert.match(backend.received[0]!, /^GET \/base\/x\?q HTTP\/1\.1\r\nHost: inner\.test\r\n/);
      const got = fields(backend.received[0]!);
      assert.deepEqual(got.get("a"), ["new"]);
      assert.deepEqual(got.get("b"), ["1", "2"]);
      assert.equal(got.has("c"), false);
      assert.equal(got.has("x-real-ip"), false);
      assert.deepEqual(got.get("x-forwarded-host"), ["a.test"]);
    };
    await withBackend(await answering(ok("")), run, { route: { filters } });
  });

  it("have dot segments resolved in the path the backend sees", async () => {
    await withBackend(await answering(ok("")), async ({ port, backend }) => {
      await exchangeBytes(port, `GET /a/../b/%2e/c?x=/../y HTTP/1.1\r\nHost: a.test\r\n${close}\r\n`);
      assert.match(backend.received[0]!, /^GET \/b\/c\?x=\/\.\.\/y HTTP/);
    });
  });

  it("take the host of an absolute target, and pass on the asterisk", async () => {
    await withBackend(await answering(ok("")), async ({ port, backend }) => {
      await exchangeBytes(port, `GET http://a.test/x HTTP/1.1\r\nHost: b.test\r\n${close}\r\n`);
      assert.match(backend.received.at(-1)!, /GET \/x HTTP\/1\.1\r\nHost: a\.test\r\n/);
      await exchangeBytes(port, `OPTIONS * HTTP/1.1\r\nHost: a.test\r\n${close}\r\n`);
      assert.match(backend.received.at(-1)!, /OPTIONS \* HTTP\/1\.1\r\nHost: a\.test\r\n/);
    });
  });
});

describe("answers", () => {
  const get = `GET / HTTP/1.1\r\nHost: a.test\r\n${close}\r\n`;
  const cases: [name: string, request: string, answer: string, expected: string | RegExp][] = [
    ["with a length", get, ok("hello"), `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${close}\r\nhello`],
    [
      "chunked, with trailers, without extensions",
      get,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\n\r\n",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${close}\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n`,
    ],
    [
      "to HEAD without body",
      get.replace("GET", "HEAD"),
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
      `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${close}\r\n`,
    ],
    [
      "204 without a length",
      get,
      "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      `HTTP/1.1 204 No Content\r\n${close}\r\n`,
    ],
    [
      "304 with the length of what is not sent",
      get,
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
      `HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n${close}\r\n`,
    ],
    [
      "without hop-by-hop fields",
      get,
      "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-H\r\nX-H: 1\r\nKeep-Alive: timeout=5\r\nX-E: 2\r\nContent-Length: 0\r\n\r\n",
      `HTTP/1.1 200 OK\r\nX-E: 2\r\nContent-Length: 0\r\n${close}\r\n`,
    ],
    [
      "after interim ones",
      get,
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok("x")}`,
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n${close}\r\nx`,
    ],
    [
      "with an empty reason",
      get,
      "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
      `HTTP/1.1 299 \r\nContent-Length: 0\r\n${close}\r\n`,
    ],
    [
      "to HTTP/1.0 unchunked, ended by close",
      get.replace("1.1", "1.0"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      `HTTP/1.1 200 OK\r\n${close}\r\nhello`,
    ],
    [
      "with a length and a coding: the coding rules",
      get,
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${close}\r\n5\r\nhello\r\n0\r\n\r\n`,
    ],
    [
      "with two lengths: 502",
      get,
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
      /^HTTP\/1\.1 502 [^]*backend-content-length-repeated/,
    ],
    [
      "with an unknown coding: 502",
      get,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
      /^HTTP\/1\.1 502 [^]*backend-transfer-encoding-unknown/,
    ],
    [
      "that are folded: 502",
      get,
      "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
      /^HTTP\/1\.1 502 [^]*backend-obsolete-line-folding/,
    ],
    ["that are not HTTP: 502", get, "SSH-2.0-OpenSSH_9.2\r\n", /^HTTP\/1\.1 502 [^]*backend-status-line-invalid/],
    [
      "that switch protocols unasked: 502",
      get,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      /^HTTP\/1\.1 502 [^]*unasked/,
    ],
  ];
  for (const [name, request, answer, expected] of cases) {
    it(name, async () => {
      await withBackend(await answering(answer), async ({ port }) => {
        const got = await exchangeBytes(port, request);
        if (typeof expected === "string") assert.equal(got, expected);
        else assert.match(got, expected);
      });
    });
    it(`${name} (byte by byte)`, async () => {
      // Single bytes in writes of their own: parsers must not depend on how the stream is cut.
      const backend = await startBackend((socket, received) => {
        if (!received.endsWith("\r\n\r\n")) return;
        for (const byte of answer) socket.write(byte, "latin1");
      });
      await withBackend(backend, async ({ port }) => {
        const client = new RawClient(port);
        for (const byte of request) client.send(byte);
        const got = await client.untilEnd();
        const flat = (text: string): string => text.replace(/\r\n[0-9a-f]+\r\n(?=.\r\n)|\r\n(?=0\r\n)/g, "\n");
        if (typeof expected !== "string") assert.match(got, expected);
        else if (!expected.includes("chunked")) assert.equal(got, expected);
        else assert.equal(flat(got).length > 0 && got.split("\r\n\r\n")[0], expected.split("\r\n\r\n")[0]);
        client.destroy();
      });
    });
  }

  it("ended by close become chunked, and the connection lives on", async () => {
    const backend = await startBackend((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nhello"));
    await withBackend(backend, async ({ port }) => {
      const client = new RawClient(port).send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      const expected = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
      await client.until((received) => received === expected);
      client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      await client.until((received) => received === expected + expected);
      client.destroy();
    });
  });

  it("carry the response filters", async () => {
    const filters: Filter[] = [
      {
        type: "responseHeaders",
        set: [{ name: "A", value: "1" }],
        add: [{ name: "B", value: "2" }],
        remove: ["Server"],
      },
    ];
    const answer = ok("", "a: 0\r\nServer: x\r\nB: 1\r\n");
    const run = async ({ port }: Setup): Promise<void> => {
      const got = fields(await exchangeBytes(port, get));
      assert.deepEqual([got.get("a"), got.get("b"), got.has("server")], [["1"], ["1", "2"], false]);
    };
    await withBackend(await answering(answer), run, { route: { filters } });
  });

  it("of the proxy itself: redirects, fixed answers, unusable shares", async () => {
    const redirect: Filter = { type: "redirect", scheme: "https", status: 301 };
    await withBackend(
      await answering(ok("")),
      async ({ port }) => {
        const got = await exchangeBytes(port, get.replace("/ ", "/p?q "));
        assert.match(got, /^HTTP\/1\.1 301 Moved Permanently\r\nLocation: https:\/\/a\.test\/p\?q\r\n/);
      },
      { route: { filters: [redirect] } },
    );
    const respond = { type: "respond" as const, status: 500, reason: "no usable backend" };
    await withBackend(
      await answering(ok("")),
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, get), /^HTTP\/1\.1 500 Internal Server Error\r\n/);
        assert.deepEqual([records[0]!.status, records[0]!.reason, records[0]!.route], [500, "no usable backend", "r"]);
      },
      { route: { action: respond } },
    );
  });
});
