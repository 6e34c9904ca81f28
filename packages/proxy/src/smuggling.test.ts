// Request smuggling and response splitting, class by class: whoever is behind the proxy sees the requests that the proxy saw, and
// whoever is in front of it the answers, whatever is hidden in them. Bytes are written to real sockets; the backend is
// node:http with its strict parser where nothing else is said.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { ErrorCode, Flag, frame, FrameClient, FrameType, requestFields } from "./testing/http2-frames.ts";
import type { FieldList } from "./testing/http2-frames.ts";
import { exchangeBytes, GET, ok, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { service } from "./testing/tables.ts";
import { withProxy } from "./testing/with-proxy.ts";
import type { Setup } from "./testing/with-proxy.ts";

/** A proxy in front of a server that keeps what it is asked: method, target and body of each request. */
async function withRecorder(run: (setup: Setup & { asked: string[] }) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.on("data", (bytes: Buffer) => (body += bytes.toString("latin1")));
    request.on("end", () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      response.end("done");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const services = [service("s", [(server.address() as AddressInfo).port])];
  await withProxy(services, (setup) => run({ ...setup, asked }));
  server.closeAllConnections();
  server.close();
}

const EVIL = "GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n";
const post = (lines: string, body: string): string => `POST /first HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n${body}`;

/** Refused, and nothing of it reaches the backend. */
async function refused(stream: string, status: number): Promise<void> {
  await withRecorder(async ({ port, asked }) => {
    assert.match(await exchangeBytes(port, stream), new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(await exchangeBytes(port, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")), /done$/);
    assert.deepEqual(asked, ["GET / "]);
  });
}

describe("request smuggling", () => {
  it("CL.TE: a length for the front, chunks for the back", async () => {
    await refused(post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${EVIL}`), 400);
  });

  it("TE.CL: chunks for the front, a length for the back", async () => {
    const body = `${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`;
    await refused(post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", body), 400);
  });

  for (const [coding, status] of [
    ["Transfer-Encoding: xchunked", 501],
    ["Transfer-Encoding : chunked", 400],
    ["Transfer-Encoding: chunked\r\nTransfer-Encoding: x", 501],
    ["Transfer-Encoding: x\r\nTransfer-Encoding: chunked", 501],
    ["Transfer-Encoding:\xa0chunked", 501],
    ["Transfer-Encoding: chunked\xa0", 501],
    ["Transfer-Encoding: \x0bchunked", 400],
    [" Transfer-Encoding: chunked", 400],
    ["X: x\nTransfer-Encoding: chunked", 400],
    ["X: x\rTransfer-Encoding: chunked", 400],
    ["Transfer-Encoding\r\n : chunked", 400],
    ["Transfer-Encoding: chunked, identity", 501],
    ["Transfer-Encoding: identity, chunked", 501],
    ["Transfer-Encoding: chunked,", 400],
    ["Transfer-Encoding: 'chunked'", 501],
    ["Transfer-Encoding\0: chunked", 400],
    ["Transfer-Encoding: chun\0ked", 400],
  ] as const) {
    it(`TE.TE: ${JSON.stringify(coding)} is chunked to some`, async () => {
      await refused(post(`${coding}\r\nContent-Length: 5\r\n`, `0\r\n\r\n${EVIL}`), status === 501 ? 400 : status);
      await refused(post(`${coding}\r\n`, `0\r\n\r\n${EVIL}`), status);
    });
  }

  it("a name that is Transfer-Encoding only to gateways of old means nothing, and the body stays a body", async () => {
    await withRecorder(async ({ port, asked }) => {
      const lines = "Transfer_Encoding: chunked\r\nContent-Length: 5\r\nConnection: close\r\n";
      await exchangeBytes(port, post(lines, "0\r\n\r\n"));
      assert.deepEqual(asked, ["POST /first 0\r\n\r\n"]);
    });
  });

  it("CL.0: a backend that answers without reading the body does not answer the next request with it", async () => {
    // It takes what follows a head for the next request, whatever Content-Length says.
    const backend = await startBackend((socket, received) => {
      const heads = received.split("\r\n\r\n").slice(0, -1);
      if (heads.length > 0) socket.write(ok(heads.at(-1)!.split(" ", 2)[1]!));
    });
    await withProxy([service("s", [backend.port])], async ({ port }) => {
      const client = new RawClient(port);
      for (const method of ["GET", "HEAD", "OPTIONS", "DELETE"]) {
        client.received = "";
        client.send(`${method} /first HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`);
        await client.until((received) => received.includes("\r\n\r\n"));
        client.received = "";
        client.send(GET.replace("/", "/next"));
        assert.match(await client.until((received) => /\r\n\r\n./.test(received)), /\r\n\r\n\/next$/);
      }
      client.destroy();
    });
    assert.ok(
      backend.received.every((received) => !/evil[^]*\/next/.test(received)),
      "nothing follows a body that may have been left",
    );
    await backend.close();
  });

  it("0.CL: a length that only the back sees", async () => {
    for (const line of [
      "Content-Length : 40",
      " Content-Length: 40",
      "X\r\n Content-Length: 40",
      "Content-Length: 0\r\nContent-Length: 40",
    ])
      await refused(`GET /first HTTP/1.1\r\nHost: a.test\r\n${line}\r\n\r\n${EVIL}`, 400);
    await withRecorder(async ({ port, asked }) => {
      const client = new RawClient(port);
      client.send(`GET /first HTTP/1.1\r\nHost: a.test\r\nContent_Length: 40\r\n\r\n${GET}`);
      await client.until((received) => received.split("done").length === 3);
      assert.deepEqual(asked, ["GET /first ", "GET / "]);
      client.destroy();
    });
  });

  for (const length of ["+5", "-5", "5 5", "5,5", "0x5", "5\xa0", "5\0", "5.0", "1e1", "٥", "18446744073709551621"]) {
    it(`Content-Length: ${JSON.stringify(length)} is no length`, async () => {
      await refused(post(`Content-Length: ${length}\r\n`, `hello${EVIL}`), 400);
    });
  }

  it("chunk sizes and extensions that readers differ about", async () => {
    const coding = "Transfer-Encoding: chunked\r\n";
    for (const start of [
      "5\n",
      "5;\r\n",
      "5;a\n",
      "5;a\r\r\n",
      "5;\n\r\n",
      "0x5\r\n",
      "5 \r\n",
      "+5\r\n",
      "5_\r\n",
      "5;a\0\r\n",
      "10000000000000005\r\n",
    ]) {
      await withRecorder(async ({ port, asked }) => {
        const got = await exchangeBytes(port, post(coding, `${start}hello\r\n0\r\n\r\n${EVIL}`));
        assert.match(got, /^HTTP\/1\.1 400 /, JSON.stringify(start));
        assert.deepEqual(asked, []);
      });
    }
    await withRecorder(async ({ port, asked }) => {
      const extensions = `5;a="\u007f"\r\n`;
      assert.match(await exchangeBytes(port, post(coding, `${extensions}hello\r\n0\r\n\r\n`)), /^HTTP\/1\.1 400 /);
      const close = `${coding}Connection: close\r\n`;
      await exchangeBytes(port, post(close, `5;a="0;b";c\r\nhello\r\n0;d=e\r\n\r\n${EVIL}`));
      assert.deepEqual(asked, ["POST /first hello"], "extensions do not travel on");
    });
  });

  it("trailers that frame, route or authenticate do not travel on, and end where they end", async () => {
    await withRecorder(async ({ port, asked }) => {
      const trailers =
        "Content-Length: 40\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nAuthorization: x\r\nX-T: 1\r\n\r\n";
      const client = new RawClient(port).send(post("Transfer-Encoding: chunked\r\n", `0\r\n${trailers}${GET}`));
      await client.until((received) => received.split("done").length === 3);
      assert.deepEqual(asked, ["POST /first ", "GET / "]);
      client.destroy();
      for (const bad of [" folded\r\n\r\n", "X : y\r\n\r\n", "X\r\n\r\n", "X: y\n\r\n", "X: y\rZ: z\r\n\r\n"]) {
        const got = await exchangeBytes(port, post("Transfer-Encoding: chunked\r\n", `0\r\nA: b\r\n${bad}${EVIL}`));
        assert.match(got, /^HTTP\/1\.1 400 /, JSON.stringify(bad));
      }
      assert.equal(asked.length, 2);
    });
  });

  it("request line injection: what could be a second line or a second part of the first", async () => {
    for (const target of [
      "/ HTTP/1.1\nHost: evil",
      "/\r\nHost: evil",
      "/a b",
      "/a\tb",
      "/a\x0bb",
      "/\0",
      "/\x7f",
      "/\xa0",
      "/#x",
    ])
      await refused(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`, 400);
    await withRecorder(async ({ port, asked }) => {
      const target = "/%0d%0aHost:%20evil/%00/%20HTTP/1.1";
      await exchangeBytes(port, `GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
      assert.deepEqual(asked, [`GET ${target} `], "encoded bytes stay encoded");
    });
  });

  it("Expect: what is not understood is refused, and a body that is not waited for stays a body", async () => {
    for (const value of ["100-continue, x", "y 100-continue", "100-continue\xa0", "x", ""])
      await refused(post(`Expect: ${value}\r\nContent-Length: ${EVIL.length}\r\n`, EVIL), 417);
    await withRecorder(async ({ port, asked }) => {
      const lines = `Expect: 100-Continue\r\nContent-Length: ${EVIL.length}\r\n`;
      const client = new RawClient(port).send(post(lines, EVIL) + GET);
      await client.until((received) => received.split("done").length === 3);
      assert.deepEqual(asked, [`POST /first ${EVIL}`, "GET / "]);
      client.destroy();
    });
  });

  it("Expect: a final answer instead of 100 ends both connections, as the body may or may not follow", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(ok("no"));
    });
    await withProxy([service("s", [backend.port])], async ({ port }) => {
      const lines = `Expect: 100-continue\r\nContent-Length: ${EVIL.length}\r\n`;
      const client = new RawClient(port).send(post(lines, ""));
      const got = await client.untilEnd();
      assert.match(got, /no$/);
      client.send(EVIL);
      assert.match(await exchangeBytes(port, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")), /no$/);
      assert.deepEqual(backend.received.length, 2);
      assert.doesNotMatch(backend.received.join(""), /evil/);
      client.destroy();
    });
    await backend.close();
  });

  it("Upgrade: h2c in any company is not passed on, nor what belongs to it", async () => {
    for (const [upgrade, passed] of [
      ["h2c", undefined],
      ["H2C", undefined],
      ["websocket, h2c", "websocket"],
      ["h2c\r\nUpgrade: websocket", "websocket"],
      ["h2c,\th2c", undefined],
    ] as const) {
      const backend = await startBackend((socket) => socket.write(ok("x", "Connection: close\r\n")));
      await withProxy([service("s", [backend.port])], async ({ port }) => {
        const lines = `Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`;
        await exchangeBytes(port, `GET / HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`);
        assert.equal(/\r\nUpgrade: ([^\r]*)/i.exec(backend.received[0]!)?.[1], passed, upgrade);
        assert.doesNotMatch(backend.received[0]!, /h2c|settings/i);
      });
      await backend.close();
    }
  });
});

/** The answers of `backend` to two requests on one connection, and how many connections it saw. */
async function twoAnswers(
  answer: (heads: number) => string,
  request = GET,
): Promise<{ answers: string; connections: number }> {
  let heads = 0;
  const backend: Backend = await startBackend((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write(answer(++heads), "latin1");
  });
  let answers = "";
  await withProxy([service("s", [backend.port])], async ({ port }) => {
    const client = new RawClient(port).send(request);
    await client.until((received) => /\r\n\r\n/.test(received.replace(/^HTTP\/1\.1 1[^]*?\r\n\r\n/, "")));
    if (!client.ended) client.send(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    answers = await client.untilEnd();
    client.destroy();
  });
  const connections = backend.received.length;
  await backend.close();
  return { answers, connections };
}

const SPLIT = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

describe("response splitting", () => {
  for (const [name, head, request] of [
    ["an answer behind the one asked for", ok("1")],
    ["an answer to HEAD with a body", "HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\n", GET.replace("GET", "HEAD")],
    ["204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 41\r\n\r\n"],
    ["304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 41\r\n\r\n"],
    ["a body longer than its length", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["bytes behind the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ] as const) {
    it(`${name}: goes nowhere, the connection is given up`, async () => {
      const { answers, connections } = await twoAnswers(
        (heads) => (heads === 1 ? head + SPLIT : ok("second")),
        request,
      );
      assert.doesNotMatch(answers, /evil/);
      assert.match(answers, /second$/);
      assert.equal(connections, 2);
    });
  }

  for (const [name, head] of [
    ["a line end hidden in a value", `HTTP/1.1 200 OK\r\nA: b\n${SPLIT}`],
    ["a bare CR in a value", "HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n"],
    ["NUL in a value", "HTTP/1.1 200 OK\r\nA: evil\0\r\nContent-Length: 0\r\n\r\n"],
    ["a bare LF in the reason", "HTTP/1.1 200 OK\nSet-Cookie: evil\r\nContent-Length: 0\r\n\r\n"],
    ["a field name with a blank", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nevil!"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 41\r\n\r\n" + SPLIT],
    ["an obscured coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\xa0\r\n\r\n0\r\n\r\n" + SPLIT],
  ] as const) {
    it(`${name}: 502`, async () => {
      const { answers } = await twoAnswers((heads) => (heads === 1 ? head : ok("second")));
      assert.match(answers, /^HTTP\/1\.1 502 /);
      assert.doesNotMatch(answers, /evil/);
    });
  }

  it("a body behind 100 or 103 is the next head, and is refused as one", async () => {
    for (const status of ["100 Continue", "103 Early Hints"]) {
      const { answers } = await twoAnswers((heads) =>
        heads === 1 ? `HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\nevil` : ok("second"),
      );
      assert.match(answers, /HTTP\/1\.1 502 /);
      assert.doesNotMatch(answers, /evil|Content-Length: 4\r/);
    }
  });

  const UPGRADE = GET.replace("\r\n\r\n", "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");

  it("101 for another protocol than was asked for, or for none: 502", async () => {
    for (const upgrade of ["Upgrade: h2c\r\n", "Upgrade: websocket, h2c\r\n", "Upgrade: x\r\n", ""]) {
      const head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${upgrade}\r\n`;
      const { answers } = await twoAnswers((heads) => (heads === 1 ? head + SPLIT : ok("second")), UPGRADE);
      assert.match(answers, /^HTTP\/1\.1 502 /, upgrade);
      assert.doesNotMatch(answers, /evil/);
    }
  });

  it("101 nobody asked for: 502", async () => {
    const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const { answers } = await twoAnswers((heads) => (heads === 1 ? head + SPLIT : ok("second")));
    assert.match(answers, /^HTTP\/1\.1 502 /);
    assert.doesNotMatch(answers, /evil/);
  });

  it("a refused upgrade: what the client sent along is its next request, and no tunnel", async () => {
    await withRecorder(async ({ port, asked }) => {
      const client = new RawClient(port).send(UPGRADE + GET.replace("/", "/next"));
      await client.until((received) => received.split("done").length === 3);
      assert.deepEqual(asked, ["GET / ", "GET /next "]);
      client.destroy();
    });
  });
});

describe("request smuggling from HTTP/2", () => {
  /** The outcome on stream 1, and what the backend was asked. */
  async function send(fields: FieldList, ...data: string[]): Promise<{ outcome: number; asked: string[] }> {
    let result = { outcome: 0, asked: [] as string[] };
    await withRecorder(async ({ port, asked }) => {
      const client = new FrameClient(port);
      if (data.length === 0) client.request(1, fields);
      else client.open(1, fields);
      for (const [index, each] of data.entries()) client.data(1, each, index === data.length - 1);
      result = { outcome: await client.outcome(1), asked };
      client.destroy();
    });
    return result;
  }
  const extra = (name: string, value: string): FieldList => requestFields([[name, value]], "POST", "/first");

  it("H2.CL: a length that is not the body's", async () => {
    for (const length of ["0", "5", "100"]) {
      const { outcome, asked } = await send(extra("content-length", length), EVIL);
      assert.ok(outcome < 0 || outcome === 400, `${length}: ${outcome}`);
      assert.deepEqual(asked, []);
    }
  });

  it("H2.TE: a coding that HTTP/2 does not have", async () => {
    const { outcome, asked } = await send(extra("transfer-encoding", "chunked"), `0\r\n\r\n${EVIL}`);
    assert.equal(outcome, -ErrorCode.protocolError);
    assert.deepEqual(asked, []);
  });

  it("a body that looks like chunks or requests is a body, in whatever frames it comes", async () => {
    const parts = ["0\r\n\r\n", "", EVIL, ""];
    const { outcome, asked } = await send(requestFields([], "POST", "/first"), ...parts);
    assert.equal(outcome, 200);
    assert.deepEqual(asked, [`POST /first ${parts.join("")}`], "an empty frame is not the last chunk");
  });

  it("padding and a priority in front do not shift anything", async () => {
    await withRecorder(async ({ port, asked }) => {
      const client = new FrameClient(port).open(1, requestFields([], "POST", "/first"));
      const padded = Buffer.from(`\x04abc${"\0".repeat(4)}`, "latin1");
      client.send(frame(FrameType.data, Flag.endStream | 8, 1, padded));
      assert.equal(await client.outcome(1), 200);
      assert.deepEqual(asked, ["POST /first abc"]);
      client.destroy();
    });
  });

  it("header injection: line ends in names, values and pseudo-headers make no lines", async () => {
    const lines = "x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const pseudo = (name: string, value: string): FieldList =>
      requestFields().map(([each, old]) => [each, each === name ? value : old]);
    for (const fields of [
      requestFields([["x", lines]]),
      requestFields([[`x: y\r\nevil`, "z"]]),
      pseudo(":path", "/ HTTP/1.1\r\nevil: x\r\n\r\nGET /evil"),
      pseudo(":method", "GET /evil HTTP/1.1\r\n\r\nGET"),
      pseudo(":authority", "a.test\r\nevil: x"),
      pseudo(":scheme", "http://evil\r\nx"),
    ]) {
      const { outcome, asked } = await send(fields);
      assert.ok(outcome < 0 || outcome >= 400 || asked.join() === "GET / ", JSON.stringify(fields));
      assert.doesNotMatch(asked.join(), /evil/);
    }
  });
});
