// HTTP/2 clients in front of HTTP/1.1 backends: the same proxy, whatever the client speaks.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { describe, it } from "node:test";
import { connect as tlsConnect } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { AccessRecord } from "../proxy.ts";
import type { Filter } from "../routing-table.ts";
import { createAuthority } from "../testing/certificates.ts";
import { Flag, FrameClient, FrameType, PREFACE } from "../testing/http2-frames.ts";
import { answerOf, ask, withSession } from "../testing/http2-client.ts";
import { accepted, answering, exchangeBytes, GET_CLOSE, ok, RawClient, startBackend } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { route, service } from "../testing/tables.ts";
import { scheme } from "../testing/variant.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Variations } from "../testing/with-proxy.ts";

interface Setup {
  port: number;
  backend: Backend;
  records: AccessRecord[];
  session: ClientHttp2Session;
}

/** A proxy whose host `a.test` leads to `backend`, and a connection to it, for the time of `run`. */
async function withBackend(
  backend: Backend,
  run: (setup: Setup) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  const services = [service("s", [backend.port])];
  const all = { hostname: "a.test", ...more };
  await withProxy(
    services,
    ({ port, records }) => withSession(port, (session) => run({ port, backend, records, session })),
    all,
  );
  await backend.close();
}

describe("requests over HTTP/2", () => {
  it("reach the backend as HTTP/1.1, with Host, forwarding fields and one Cookie line", async () => {
    await withBackend(await answering(ok("hello")), async ({ session, backend, records }) => {
      const answer = await ask(session, { ":path": "/x?y=1", cookie: ["a=1", "b=2"], te: "trailers", accept: "*/*" });
      assert.deepEqual([answer.status, answer.body], [200, "hello"]);
      assert.equal(
        backend.received[0],
        "GET /x?y=1 HTTP/1.1\r\nHost: a.test\r\naccept: */*\r\ncookie: a=1; b=2\r\n" +
          "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: a.test\r\n" +
          `X-Forwarded-Port: ${scheme() === "http" ? 80 : 443}\r\nX-Forwarded-Proto: ${scheme()}\r\n` +
          "X-Forwarded-Server: gateway-1\r\nX-Real-Ip: 127.0.0.1\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
      );
      const { protocol, status, bytes, host, target, route, reason } = records[0]!;
      assert.deepEqual(
        [protocol, status, bytes, host, target, route, reason],
        ["HTTP/2.0", 200, 5, "a.test", "/x?y=1", "r", ""],
      );
    });
  });

  it("with a body of known and unknown length, and with trailers", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("abcde") || received.endsWith("\r\n0\r\n\r\n") || received.endsWith("x-t: 1\r\n\r\n"))
        socket.write(ok("done"));
    });
    await withBackend(backend, async ({ session }) => {
      const sized = await ask(session, { ":method": "POST", ":path": "/1", "content-length": 5 }, "abcde");
      const unsized = await ask(session, { ":method": "POST", ":path": "/2" }, "abc");
      const trailed = await ask(session, { ":method": "POST", ":path": "/3" }, "abc", {
        "x-t": "1",
        "content-type": "x",
      });
      assert.deepEqual([sized.body, unsized.body, trailed.body], ["done", "done", "done"]);
      const [first, second, third] = backend.received[0]!.split(/(?=POST )/);
      assert.match(first!, /\r\ncontent-length: 5\r\n[^]*\r\n\r\nabcde$/);
      assert.doesNotMatch(first!, /chunked/);
      assert.match(second!, /\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
      assert.match(third!, /\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n$/);
    });
  });

  it("many at a time share a connection", async () => {
    const backend = await startBackend((socket, received) => {
      const paths = received.match(/(?<=GET )\S+/g)!;
      if (received.endsWith("\r\n\r\n")) socket.write(ok(paths.at(-1)!));
    });
    await withBackend(backend, async ({ session }) => {
      const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
      const answers = await Promise.all(paths.map((path) => ask(session, { ":path": path })));
      assert.deepEqual(
        answers.map((answer) => answer.body),
        paths,
      );
    });
  });

  it("wait for 100 Continue and see early hints", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) {
        socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
      }
      if (received.endsWith("body")) socket.write(ok("done"));
    });
    await withBackend(backend, async ({ session }) => {
      const headers = { ":authority": "a.test", ":method": "POST", expect: "100-continue", "content-length": 4 };
      const stream = session.request(headers, { endStream: false });
      stream.once("continue", () => stream.end("body"));
      const answer = await answerOf(stream);
      assert.equal(answer.body, "done");
      assert.deepEqual(
        answer.interim.map((each) => [each[":status"], each["link"]]),
        [
          [103, "</a>"],
          [100, undefined],
        ],
      );
    });
  });

  it("wait while the backend is being connected to, body and end included", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("0\r\n\r\n")) socket.write(ok("done"));
    });
    await withBackend(backend, async ({ port }) => {
      const client = new FrameClient(port).open(1).data(1, "abc").data(1, "", true);
      assert.equal(await client.outcome(1), 200);
      assert.match(backend.received[0]!, /\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
      client.destroy();
    });
  });

  it("are redirected, refused and answered by the proxy itself", async () => {
    const redirect: Filter = { type: "redirect", scheme: "https", status: 301 };
    await withBackend(
      await answering(ok("")),
      async ({ session }) => {
        const moved = await ask(session, { ":path": "/p?q" });
        assert.deepEqual([moved.status, moved.headers.location, moved.body], [301, "https://a.test/p?q", ""]);
        const unknown = await ask(session, { ":authority": "b.test" });
        assert.deepEqual([unknown.status, unknown.body], [404, "404 page not found\n"]);
        assert.equal(unknown.headers["content-length"], "19");
        assert.match(String(unknown.headers.date), / GMT$/);
        const toHead = await ask(session, { ":authority": "b.test", ":method": "HEAD" });
        assert.deepEqual([toHead.status, toHead.headers["content-length"], toHead.body], [404, "19", ""]);
        const posted = await ask(session, { ":authority": "b.test", ":method": "POST" }, "x".repeat(500_000));
        assert.deepEqual([posted.status, posted.body, posted.rstCode], [404, "404 page not found\n", 0]);
      },
      { route: { filters: [redirect] } },
    );
  });
});

describe("answers over HTTP/2", () => {
  const head = (lines: string, body = ""): string => `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`;

  it("lose what concerns one connection, and what the filters take", async () => {
    const filters: Filter[] = [
      {
        type: "responseHeaders",
        set: [{ name: "A", value: "1" }],
        add: [{ name: "B", value: "2" }],
        remove: ["Server"],
      },
    ];
    const lines =
      "Connection: keep-alive, X-H\r\nX-H: 1\r\nKeep-Alive: timeout=5\r\na: 0\r\nServer: x\r\nB:  1 \r\nUpgrade: h2c\r\n" +
      "Set-Cookie: a\r\nSet-Cookie: b\r\n__proto__: p\r\nconstructor: c\r\nContent-Length: 1\r\n";
    await withBackend(
      await answering(head(lines, "x")),
      async ({ session }) => {
        const { headers, body } = await ask(session);
        const plain = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== ":status"));
        assert.deepEqual(plain, {
          a: "1",
          b: "1, 2",
          "set-cookie": ["a", "b"],
          ["__proto__"]: "p",
          constructor: "c",
          "content-length": "1",
        });
        assert.equal(body, "x");
      },
      { route: { filters } },
    );
  });

  const chunked = head(
    "Transfer-Encoding: chunked\r\n",
    "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\n\r\n",
  );
  const cases: [name: string, answer: string, expected: object, method?: string][] = [
    ["chunked, with trailers", chunked, { status: 200, body: "hello!", trailer: "1" }],
    ["without a length, ended by close", "HTTP/1.1 200 OK\r\n\r\nhello", { status: 200, body: "hello" }],
    ["to HEAD", head("Content-Length: 5\r\n"), { status: 200, body: "", length: "5" }, "HEAD"],
    ["204", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", { status: 204, body: "" }],
    [
      "205 with a body nobody may send: as it is, as over HTTP/1.1",
      "HTTP/1.1 205 Reset\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      { status: 205, body: "x" },
    ],
    ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", { status: 304, body: "", length: "5" }],
    ["empty", head("Content-Length: 0\r\n"), { status: 200, body: "", length: "0" }],
    [
      "with a status HTTP/2 does not know",
      "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
      { status: 502, reason: "backend-status-invalid" },
    ],
    ["that are not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", { status: 502, reason: "backend-status-line-invalid" }],
  ];
  for (const [name, answer, expected, method = "GET"] of cases) {
    it(name, async () => {
      const backend = await startBackend(
        (socket) =>
          void (answer.includes("ength") || answer.includes("chunked")
            ? socket.write(answer, "latin1")
            : socket.end(answer)),
      );
      await withBackend(backend, async ({ session, records }) => {
        const got = await ask(session, { ":method": method });
        const all = {
          status: got.status,
          body: got.body,
          trailer: got.trailers?.["x-t"],
          length: got.headers["content-length"],
          reason: records[0]!.reason,
        };
        assert.deepEqual({ ...all, ...expected }, all);
        assert.equal(got.rstCode, 0);
        assert.equal(got.trailers?.["content-length"], undefined);
      });
    });
  }

  for (const [name, lines] of [
    ["without a length", ""],
    ["chunked", "Transfer-Encoding: chunked\r\n"],
  ] as const) {
    it(`${name} that break off do not look whole`, async () => {
      const backend = await startBackend((socket) => {
        socket.write(head(lines, "3\r\nabc\r\n"), () => setImmediate(() => socket.resetAndDestroy()));
      });
      await withBackend(backend, async ({ port }) => {
        const client = new FrameClient(port).request(1);
        await client.frame(({ type }) => type === FrameType.rstStream);
        assert.equal(
          client.frames.some(({ type, flags }) => type === FrameType.data && (flags & Flag.endStream) !== 0),
          false,
        );
        client.destroy();
      });
    });
  }

  it("that break off are reset", async () => {
    const backend = await startBackend((socket) => socket.end(head("Content-Length: 10\r\n", "abc")));
    await withBackend(backend, async ({ session, records }) => {
      const got = await ask(session);
      assert.deepEqual([got.status, got.body, got.rstCode], [200, "abc", 2]);
      assert.deepEqual([records[0]!.status, records[0]!.reason], [200, "backend-closed-mid-response"]);
      assert.equal((await ask(session)).body, "abc", "the connection goes on");
    });
  });

  it("that come before the request's end stop the rest of it", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.includes("\r\n\r\n")) socket.write(ok("no thanks"));
    });
    await withBackend(
      backend,
      async ({ session }) => {
        const stream = session.request({ ":authority": "a.test", ":method": "POST" }, { endStream: false });
        stream.write("abc");
        const got = await answerOf(stream);
        assert.deepEqual([got.body, got.rstCode], ["no thanks", 0]);
      },
      { limits: { lingerTimeout: 50 } },
    );
  });
});

describe("HTTP/2 connections", () => {
  it("by prior knowledge, with the preface in pieces of any size", async () => {
    await withBackend(await answering(ok("hello")), async ({ port }) => {
      for (const cut of [1, 3, 14, 16, 18, 23]) {
        const client = new FrameClient(port, [], PREFACE.slice(0, cut));
        // What FrameClient says next would come too early: this connection speaks by itself.
        client.socket.destroy();
        const raw = new RawClient(port);
        for (const byte of PREFACE.slice(0, cut)) {
          raw.send(byte);
          await new Promise((resolve) => setImmediate(resolve));
        }
        raw.send(`${PREFACE.slice(cut)}\0\0\0\x04\0\0\0\0\0`);
        await raw.until((received) => received.startsWith("\0\0") && received.charCodeAt(3) === FrameType.settings);
        raw.destroy();
      }
    });
  });

  it("by ALPN, where they are asked for before HTTP/1.1, and only then", async () => {
    const authority = await createAuthority();
    const pair = await authority.issue("a.test", ["a.test", "b.test"]);
    const tls = { certificates: [{ hostnames: ["a.test", "b.test"], ...pair }] };
    const servers = ["a.test", "b.test"].map((hostname) => ({
      hostname,
      virtualHosts: [{ hostname, routes: [route("/*", "s")] }],
    }));
    const backend = await answering(ok("hello"));
    const run = async ({ port }: { port: number }): Promise<void> => {
      const connectTls = (ALPNProtocols: string[]): TLSSocket =>
        tlsConnect({ port, host: "127.0.0.1", servername: "a.test", ca: authority.certificate, ALPNProtocols });
      const socket = connectTls(["h2", "http/1.1"]);
      const session = connect("https://a.test", { createConnection: () => socket });
      const answer = await ask(session);
      assert.deepEqual([answer.status, answer.body, socket.alpnProtocol], [200, "hello", "h2"]);
      assert.match(backend.received[0]!, /X-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n/);
      // One connection for two names, although they are kept apart here: the client is told to open another.
      assert.equal((await ask(session, { ":authority": "b.test" })).status, 421);
      session.destroy();
      const plain = connectTls(["http/1.1"]);
      plain.write(GET_CLOSE);
      const text = (await plain.toArray()).join("");
      assert.match(text, /^HTTP\/1\.1 200 [^]*hello$/);
    };
    await withProxy([service("s", [backend.port])], run, { listener: { tls, servers } });
    await backend.close();
  });

  it("are not opened in the middle of HTTP/1.1, nor by Upgrade", async () => {
    await withBackend(await answering(ok("hello")), async ({ port, backend }) => {
      const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
      const client = new RawClient(port).send(get);
      await client.until((received) => received.endsWith("hello"));
      client.send(`${PREFACE}\0\0\0\x04\0\0\0\0\0`);
      assert.match(await client.untilEnd(), /hello[^]*HTTP\/1\.1 505 /);
      const upgrade = `${get.slice(0, -2)}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`;
      assert.match(await exchangeBytes(port, upgrade), /^HTTP\/1\.1 200 [^]*hello$/);
      assert.doesNotMatch(backend.received.join(""), /h2c|HTTP2/i);
    });
  });

  it("whose client allows no HPACK table, from the start or later, understand answers", async () => {
    await withBackend(await answering(ok("hello")), async ({ port }) => {
      for (const settings of [{ headerTableSize: 0 }, {}]) {
        await withSession(
          port,
          async (session) => {
            assert.equal((await ask(session)).body, "hello");
            for (const headerTableSize of [4096, 0]) {
              session.settings({ headerTableSize });
              await once(session, "localSettings");
              assert.equal((await ask(session)).body, "hello");
            }
          },
          settings,
        );
      }
    });
  });

  it("cancelled streams abort the backend's work, and that alone", async () => {
    const backend = await startBackend(() => {});
    await withBackend(backend, async ({ session, records }) => {
      const stream = session.request({ ":authority": "a.test" });
      const socket = await accepted(backend);
      await once(socket, "data");
      stream.close(8);
      await once(socket, "close");
      assert.deepEqual([records[0]!.status, records[0]!.reason], [499, "client-reset-stream"]);
      const next = session.request({ ":authority": "a.test" });
      const second = await accepted(backend);
      next.on("error", () => {});
      session.destroy();
      await once(second, "close");
      assert.deepEqual([records[1]!.status, records[1]!.reason], [499, "client-closed-connection"]);
    });
  });

  it("whose client reset a body half-way do not pass it on as whole", async () => {
    for (const code of [0, 8]) {
      const backend = await startBackend(() => {});
      await withBackend(backend, async ({ port }) => {
        const client = new FrameClient(port).open(1).data(1, "abc");
        const socket = await accepted(backend);
        await once(socket, "data");
        client.reset(1, code);
        await once(socket, "close");
        assert.doesNotMatch(backend.received[0]!, /\r\n0\r\n/);
        client.destroy();
      });
    }
  });

  it("whose client sends FIN are over", async () => {
    const backend = await startBackend(() => {});
    await withBackend(backend, async ({ port }) => {
      const client = new FrameClient(port).request(1);
      const socket = await accepted(backend);
      client.socket.end();
      await once(socket, "close");
      await client.untilEnd();
    });
  });

  it("say GOAWAY when the listener closes, finish what they have begun, and begin nothing more", async () => {
    const backend = await startBackend(() => {});
    await withProxy([service("s", [backend.port])], async ({ port, proxy }) => {
      const client = new FrameClient(port).request(1);
      const socket = await accepted(backend);
      const closed = proxy.close({ graceMs: 10_000 });
      assert.equal(await client.goaway(), 0);
      assert.equal(client.frames.at(-1)!.payload.readUInt32BE(0), 1, "the last stream");
      client.request(3);
      socket.write(ok("late"));
      assert.equal(await client.outcome(1), 200);
      await client.untilEnd();
      await closed;
      assert.equal(
        client.frames.some(({ stream }) => stream === 3),
        false,
      );
      assert.equal(backend.received.length, 1);
    });
    await backend.close();
  });

  it("that idle are closed when the listener closes", async () => {
    await withProxy([service("s", [])], async ({ port, proxy }) => {
      const client = new FrameClient(port).request(1);
      assert.equal(await client.outcome(1), 503);
      const closed = proxy.close({ graceMs: 10_000 });
      await client.untilEnd();
      await closed;
      assert.equal(await client.goaway(), 0);
    });
  });
});
