// Backends that speak HTTP/2, behind clients of either protocol.

import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import type { ServerHttp2Stream } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { createProxy } from "../proxy.ts";
import type { Service } from "../routing-table.ts";
import { ask, withSession } from "../testing/http2-client.ts";
import { answeringHttp2, startHttp2Backend } from "../testing/http2-backend.ts";
import type { Http2Backend } from "../testing/http2-backend.ts";
import { ErrorCode, frame, FrameType, number32 } from "../testing/http2-frames.ts";
import { answering, exchangeBytes, GET, GET_CLOSE, inTurn, ok, RawClient } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";

const h2c = (id: string, ports: number[]): Service => ({ ...service(id, ports), protocol: "h2c" });

/** A proxy in front of `backend` for the time of `run`. */
async function withBackend(
  backend: Http2Backend,
  run: (setup: Setup) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  await withProxy([h2c("s", [backend.port])], run, more);
  await backend.close();
}

/** The whole body of a request. */
async function bodyOf(stream: ServerHttp2Stream): Promise<string> {
  let body = "";
  for await (const bytes of stream) body += String(bytes);
  return body;
}

describe("requests to h2c backends", () => {
  it("carry end-to-end fields in lower case, what is repeated repeated, and the client's address", async () => {
    const seen: string[][] = [];
    const backend = await startHttp2Backend((stream, _headers, fields) => {
      seen.push(fields);
      stream.respond({ ":status": 200 }, { endStream: true });
    });
    await withBackend(backend, async ({ port }) => {
      const fields = "Accept: a\r\nX-A: 1\r\nX-A: 2\r\nCookie: c\r\n__proto__: p\r\nTE: trailers, deflate\r\n";
      const request = `GET /x?y=1 HTTP/1.1\r\nHost: a.test:81\r\n${fields}Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n`;
      assert.match(await exchangeBytes(port, request), /^HTTP\/1\.1 200 OK\r\n/);
      assert.deepEqual(
        seen[0],
        [
          [":method", "GET", ":scheme", "http", ":authority", "a.test:81", ":path", "/x?y=1"],
          ["accept", "a", "x-a", "1", "x-a", "2", "cookie", "c", "__proto__", "p", "x-forwarded-for", "127.0.0.1"],
          ["x-forwarded-host", "a.test:81", "x-forwarded-port", "81", "x-forwarded-proto", "http"],
          ["x-forwarded-server", "gateway-1", "x-real-ip", "127.0.0.1", "te", "trailers"],
        ].flat(),
      );
    });
  });

  it("name the endpoint when the client names no host, as HTTP/1.0 may", async () => {
    const backend = await startHttp2Backend((stream, headers) => {
      stream.respond({ ":status": 200 });
      stream.end(headers[":authority"]);
    });
    await withBackend(backend, async ({ port }) => {
      const answer = await exchangeBytes(port, "GET / HTTP/1.0\r\n\r\n");
      assert.match(answer, new RegExp(`^HTTP/1\\.1 200 [^]*\r\n\r\n127\\.0\\.0\\.1:${backend.port}$`));
    });
  });

  it("carry bodies of known and unknown length, with trailers", async () => {
    const answer = async (stream: ServerHttp2Stream, length: string | undefined): Promise<void> => {
      let trailers: unknown;
      stream.on("trailers", (got) => (trailers = got["x-t"]));
      const body = await bodyOf(stream);
      stream.respond({ ":status": 200 });
      stream.end(`${length ?? "unknown"} ${body} ${String(trailers)}`);
    };
    const backend = await startHttp2Backend((stream, headers) => void answer(stream, headers["content-length"]));
    await withBackend(backend, async ({ port }) => {
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n";
      const bodyFor = async (rest: string): Promise<string> =>
        (await exchangeBytes(port, post + rest)).split("\r\n\r\n")[1]!.split("\r\n")[1]!;
      assert.equal(await bodyFor("Content-Length: 3\r\n\r\nabc"), "3 abc undefined");
      const chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
      assert.equal(await bodyFor(`${chunked}0\r\n\r\n`), "unknown abc undefined");
      assert.equal(await bodyFor(`${chunked}0\r\nX-T: 1\r\nHost: evil\r\n\r\n`), "unknown abc 1");
      await withSession(port, async (session) => {
        const answer = await ask(session, { ":method": "POST" }, "abc", { "x-t": "2" });
        assert.equal(answer.body, "unknown abc 2");
      });
    });
  });

  it("share connections, as many on each as the backend takes", async () => {
    const waiting: ServerHttp2Stream[] = [];
    const options = { settings: { maxConcurrentStreams: 4 } };
    const backend = await startHttp2Backend((stream) => {
      if (waiting.push(stream) < 10) return;
      for (const each of waiting.splice(0)) {
        each.respond({ ":status": 200 });
        each.end("x");
      }
    }, options);
    await withBackend(backend, async ({ port, proxy }) => {
      const all = await Promise.all(Array.from({ length: 10 }, () => exchangeBytes(port, GET_CLOSE)));
      assert.ok(all.every((answer) => answer.startsWith("HTTP/1.1 200 ")));
      assert.equal(backend.sessions.length, 3);
      const [counters] = Object.values(proxy.stats().endpoints);
      assert.deepEqual([counters!.connectionsOpen, counters!.connectionsIdle, counters!.connectionsOpened], [3, 3, 3]);
    });
  });

  it("keep one connection when one after another", async () => {
    const backend = await answeringHttp2("A");
    await withBackend(backend, async ({ port }) => {
      assert.equal((await inTurn(port, 5)).join(""), "AAAAA");
      assert.equal(backend.sessions.length, 1);
    });
  });

  it("to upgrade are asked without the upgrade: there are no tunnels", async () => {
    const backend = await answeringHttp2("plain");
    await withBackend(backend, async ({ port }) => {
      const upgrade = GET.replace("\r\n\r\n", "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      const client = new RawClient(port).send(upgrade);
      assert.match(await client.until((received) => received.endsWith("plain")), /^HTTP\/1\.1 200 OK\r\n/);
      client.destroy();
    });
  });
});

describe("answers of h2c backends", () => {
  it("come with their length, or in chunks with trailers", async () => {
    const backend = await startHttp2Backend((stream, headers) => {
      if (headers[":path"] === "/sized") {
        stream.respond({ ":status": 200, "content-length": 5 });
        stream.end("hello");
        return;
      }
      stream.respond({ ":status": 201, "set-cookie": ["a", "b"] }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "1", "content-type": "x" }));
      stream.end("hello");
    });
    await withBackend(backend, async ({ port }) => {
      const date = /date: [^\r]*\r\n/;
      const sized = await exchangeBytes(port, GET_CLOSE.replace("/ ", "/sized "));
      assert.equal(sized.replace(date, ""), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nConnection: close\r\n\r\nhello");
      const chunked = await exchangeBytes(port, GET_CLOSE);
      assert.equal(
        chunked.replace(date, ""),
        "HTTP/1.1 201 Created\r\nset-cookie: a\r\nset-cookie: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" +
          "5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n",
      );
      await withSession(port, async (session) => {
        const answer = await ask(session);
        assert.deepEqual([answer.status, answer.body, answer.trailers?.["x-t"]], [201, "hello", "1"]);
        assert.equal(answer.trailers?.["content-type"], undefined);
      });
    });
  });

  it("without a body, to HEAD and after interim ones", async () => {
    const backend = await startHttp2Backend((stream, headers) => {
      if (headers[":path"] === "/hints") stream.additionalHeaders({ ":status": 103, link: "</a>" });
      const status = headers[":path"] === "/304" ? 304 : headers[":path"] === "/204" ? 204 : 200;
      stream.respond({ ":status": status }, { endStream: true, sendDate: false } as object);
    });
    await withBackend(backend, async ({ port }) => {
      const get = (path: string, method = "GET"): Promise<string> =>
        exchangeBytes(port, GET_CLOSE.replace("GET / ", `${method} ${path} `));
      const empty = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n";
      assert.equal(await get("/"), empty);
      assert.equal(await get("/", "HEAD"), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      assert.equal(await get("/204"), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
      assert.equal(await get("/304"), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
      assert.equal(await get("/hints"), `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${empty}`);
    });
  });

  it("that are reset break off for the client too, and leave the connection to others", async () => {
    const backend = await startHttp2Backend((stream, headers) => {
      if (headers[":path"] === "/early") return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      stream.respond({ ":status": 200 });
      stream.write("abc", () => stream.destroy(new Error("broken")));
    });
    await withBackend(backend, async ({ port, records }) => {
      const early = await exchangeBytes(port, GET_CLOSE.replace("/ ", "/early "));
      assert.match(early, /^HTTP\/1\.1 502 /);
      assert.equal(records[0]!.reason, "backend-reset-stream-internal-error");
      const late = await exchangeBytes(port, GET_CLOSE);
      assert.match(late, /\r\n\r\n3\r\nabc\r\n$/, "no last chunk");
      await withSession(port, async (session) => {
        const answer = await ask(session);
        assert.deepEqual([answer.body, answer.rstCode], ["abc", ErrorCode.internalError]);
      });
      assert.equal(backend.sessions.length, 1);
    });
  });

  it("that come before the request's end free the backend of the rest", async () => {
    const backend = await startHttp2Backend((stream) => {
      stream.respond({ ":status": 413 });
      stream.end("no");
    });
    await withBackend(backend, async ({ port }) => {
      const client = new RawClient(port).send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc");
      assert.match(await client.untilEnd(), /^HTTP\/1\.1 413 [^]*no\r\n0\r\n\r\n$/);
      client.destroy();
    });
  });
});

describe("h2c backends that fail", () => {
  /** A backend that speaks frames by hand, whenever something arrives. */
  async function rawBackend(
    onData: (write: (...frames: Buffer[]) => void) => void,
  ): Promise<{ port: number; close: () => void }> {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write(frame(FrameType.settings, 0, 0));
      socket.on("data", () => onData((...frames) => void socket.write(Buffer.concat(frames))));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
  }

  it("refusing a stream: it is tried again, whatever its method", async () => {
    let refused = 0;
    const backend = await startHttp2Backend((stream) => {
      if (refused++ === 0) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      stream.respond({ ":status": 200, "content-length": 1 });
      stream.end("A");
    });
    await withBackend(backend, async ({ port, records }) => {
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      assert.match(await exchangeBytes(port, post), /^HTTP\/1\.1 200 [^]*A$/);
      assert.deepEqual([records[0]!.retries, records[0]!.reason], [1, ""]);
    });
  });

  it("refusing every time: 502 after bounded attempts", async () => {
    let refused = 0;
    const backend = await startHttp2Backend((stream) => {
      refused++;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    await withBackend(backend, async ({ port, records }) => {
      assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /);
      assert.deepEqual([refused, records[0]!.reason], [3, "backend-refused-stream"]);
    });
  });

  it("refusing after a part of the body was sent: 502, as it is gone", async () => {
    const backend = await startHttp2Backend((stream) => {
      stream.once("data", () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    });
    await withBackend(backend, async ({ port, records }) => {
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nabc";
      assert.match(await exchangeBytes(port, post), /^HTTP\/1\.1 502 /);
      assert.equal(records[0]!.retries, 0);
    });
  });

  it("saying GOAWAY: streams above the last one go to a new connection, those below are finished", async () => {
    const asked: [connection: number, path: string][] = [];
    const held: ServerHttp2Stream[] = [];
    const backend: Http2Backend = await startHttp2Backend((stream, headers) => {
      asked.push([backend.sessions.findIndex((each) => each === stream.session), headers[":path"]!]);
      if (headers[":path"] === "/held") return void held.push(stream);
      if (asked.length === 2) {
        // Says that it has looked at nothing beyond the first stream.
        stream.session!.goaway(0, held[0]!.id);
        return;
      }
      stream.respond({ ":status": 200, "content-length": 1 });
      stream.end("A");
    });
    await withBackend(backend, async ({ port }) => {
      const first = exchangeBytes(port, GET_CLOSE.replace("/ ", "/held "));
      while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
      const post = "POST /next HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      assert.match(await exchangeBytes(port, post), /^HTTP\/1\.1 200 [^]*A$/);
      held[0]!.respond({ ":status": 200 });
      held[0]!.end("held");
      assert.match(await first, /held/);
      assert.deepEqual(asked, [
        [0, "/held"],
        [0, "/next"],
        [1, "/next"],
      ]);
    });
  });

  it("whose idle connection is gone when it is needed: another is made", async () => {
    const backend = await answeringHttp2("A");
    await withBackend(backend, async ({ port }) => {
      assert.equal((await inTurn(port, 1)).join(""), "A");
      backend.sessions[0]!.destroy();
      assert.equal((await inTurn(port, 1)).join(""), "A");
      assert.equal(backend.sessions.length, 2);
    });
  });

  it("that die before answering: idempotent requests are repeated, others are a 502", async () => {
    const backend = await startHttp2Backend((stream) => stream.session!.destroy());
    await withBackend(backend, async ({ port, records }) => {
      assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /);
      assert.deepEqual([records[0]!.retries, backend.sessions.length], [2, 3]);
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      assert.match(await exchangeBytes(port, post), /^HTTP\/1\.1 502 /);
      assert.deepEqual([records[1]!.retries, records[1]!.reason], [0, "backend-connection-closed"]);
    });
  });

  it("that refuse connections, or speak something else, are passed over and answer 502 alone", async () => {
    const http1 = await answering(ok("HTTP/1.1 here"));
    const good = await answeringHttp2("A");
    const gone = await answeringHttp2("");
    await gone.close();
    await withProxy([h2c("s", [gone.port, http1.port, good.port])], async ({ port }) => {
      assert.equal((await inTurn(port, 3)).join(""), "AAA");
    });
    for (const [wrong, reason] of [
      [gone.port, "connect-econnrefused"],
      [http1.port, "connect-not-http2"],
    ] as const) {
      await withProxy([h2c("s", [wrong])], async ({ port, records, proxy }) => {
        assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /);
        assert.equal(records[0]!.reason, reason);
        const [counters] = Object.values(proxy.stats().endpoints);
        assert.deepEqual([counters!.connectionsOpen, counters!.connectFailures], [0, 1]);
      });
    }
    await http1.close();
    await good.close();
  });

  it("that accept and say nothing: 504 after the time to connect", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).resume());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: silent } = server.address() as AddressInfo;
    await withProxy(
      [h2c("s", [silent])],
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 504 /);
        assert.equal(records[0]!.reason, "connect-timeout");
      },
      { limits: { connectTimeout: 100 } },
    );
    server.close();
  });

  it("whose answer is malformed: 502, and nothing of it is passed on", async () => {
    const head = (fields: Buffer): Buffer => frame(FrameType.headers, 5, 1, fields);
    const literal = (name: string, value: string): Buffer =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]);
    for (const fields of [
      literal("x", "y"),
      Buffer.concat([literal(":status", "abc")]),
      Buffer.concat([literal(":status", "200"), literal("transfer-encoding", "chunked")]),
      Buffer.concat([literal(":status", "200"), literal("connection", "x")]),
      Buffer.concat([literal(":status", "200"), literal("content-length", "5")]),
      Buffer.concat([literal(":status", "101")]),
    ]) {
      let answered = false;
      const backend = await rawBackend((write) => {
        if (!answered) setImmediate(() => write(head(fields)));
        answered = true;
      });
      await withProxy([h2c("s", [backend.port])], async ({ port }) => {
        assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /, fields.toString("latin1"));
      });
      backend.close();
    }
  });

  it("that break the protocol lose the connection, with all that is on it", async () => {
    const backend = await rawBackend((write) => write(frame(FrameType.windowUpdate, 0, 0, number32(0))));
    await withProxy([h2c("s", [backend.port])], async ({ port }) => {
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      assert.match(await exchangeBytes(port, post), /^HTTP\/1\.1 502 /);
    });
    backend.close();
  });
});

describe("sessions to h2c backends", () => {
  it("are closed when they idle too long, and when no table names the endpoint", async () => {
    const backend = await answeringHttp2("A");
    await withBackend(
      backend,
      async ({ port }) => {
        assert.equal((await inTurn(port, 1)).join(""), "A");
        await once(backend.sessions[0]!, "close");
      },
      { limits: { upstreamIdleTimeout: 50 } },
    );
    const other = await answeringHttp2("A");
    const proxy = createProxy();
    const hosts = { "*": [route("/*", "s")] };
    const [state] = await proxy.apply(table([listener(hosts)], [h2c("s", [other.port])]));
    assert.equal((await inTurn(state!.port, 1)).join(""), "A");
    const closed = once(other.sessions[0]!, "close");
    await proxy.apply(table([listener(hosts)], [h2c("s", [])]));
    await closed;
    await proxy.close({ graceMs: 0 });
    await other.close();
  });

  it("end a request that the client takes back, and that one alone", async () => {
    const asked: ServerHttp2Stream[] = [];
    const backend = await startHttp2Backend((stream) => void asked.push(stream));
    await withBackend(backend, async ({ port, proxy }) => {
      const gone = new RawClient(port).send(GET);
      const stays = new RawClient(port).send(GET);
      while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
      gone.destroy();
      await once(asked[0]!, "aborted");
      assert.equal(asked[0]!.rstCode, constants.NGHTTP2_CANCEL);
      asked[1]!.respond({ ":status": 200, "content-length": 1 });
      asked[1]!.end("A");
      await stays.until((received) => received.endsWith("A"));
      stays.destroy();
      assert.equal(backend.sessions.length, 1);
      assert.equal(proxy.stats().services["s"]!.active, 0);
    });
  });

  it("taken back half-way through its body, a request does not look whole", async () => {
    const started: ServerHttp2Stream[] = [];
    let ended = false;
    const backend = await startHttp2Backend((stream) => {
      stream.once("data", () => started.push(stream)).on("end", () => (ended = !stream.aborted));
    });
    for (const framing of ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]) {
      await withProxy([h2c("s", [backend.port])], async ({ port }) => {
        const client = new RawClient(port).send(`POST / HTTP/1.1\r\nHost: a.test\r\n${framing}`);
        while (started.length === 0) await new Promise((resolve) => setImmediate(resolve));
        const closed = new Promise((resolve) => started.pop()!.once("close", resolve));
        client.destroy();
        await closed;
        assert.equal(ended, false);
      });
    }
    await backend.close();
  });
});
