// Requests that two parties could read differently, or that HTTP forbids, are answered with an error, close the
// connection and never reach a backend. Bytes are written to real sockets.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AccessRecord } from "../proxy.ts";
import { answering, exchangeBytes, ok, RawClient } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { variantProxy } from "../testing/variant.ts";

const HOST = "Host: a.test\r\n";
const REFUSED: [name: string, bytes: string, status: number, reason: string][] = [
  ["bare LF after the request line", `GET / HTTP/1.1\n${HOST}\r\n`, 400, "request-line-invalid"],
  ["bare LF after a field", "GET / HTTP/1.1\r\nHost: a.test\nA: b\r\n\r\n", 400, "bare-lf"],
  ["bare LF as the empty line", `GET / HTTP/1.1\r\n${HOST}\n`, 400, "bare-lf"],
  ["bare CR in a value", "GET / HTTP/1.1\r\nHost: a.test\r\nA: b\rc\r\n\r\n", 400, "bare-cr"],
  ["bare CR as line end", "GET / HTTP/1.1\r\nHost: a.test\rA: b\r\n\r\n", 400, "bare-cr"],
  ["NUL in a value", `GET / HTTP/1.1\r\n${HOST}A: b\0c\r\n\r\n`, 400, "field-value-invalid"],
  ["obsolete line folding", `GET / HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`, 400, "obsolete-line-folding"],
  ["folded first field", `GET / HTTP/1.1\r\n ${HOST}\r\n`, 400, "obsolete-line-folding"],
  [
    "whitespace before the colon",
    `GET / HTTP/1.1\r\n${HOST}Content-Length : 5\r\n\r\n`,
    400,
    "whitespace-before-colon",
  ],
  ["tab before the colon", `GET / HTTP/1.1\r\n${HOST}A\t: 5\r\n\r\n`, 400, "whitespace-before-colon"],
  ["empty field name", `GET / HTTP/1.1\r\n${HOST}: 5\r\n\r\n`, 400, "field-name-empty"],
  ["bad character in a field name", `GET / HTTP/1.1\r\n${HOST}A(b: 5\r\n\r\n`, 400, "field-name-invalid"],
  ["field without a colon", `GET / HTTP/1.1\r\n${HOST}Nonsense\r\n\r\n`, 400, "field-name-invalid"],
  ["no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400, "host-missing"],
  ["two Hosts", `GET / HTTP/1.1\r\n${HOST}Host: b.test\r\n\r\n`, 400, "host-repeated"],
  ["two equal Hosts", `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400, "host-repeated"],
  ["Host with a path", "GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n", 400, "host-invalid"],
  ["Host with userinfo", "GET / HTTP/1.1\r\nHost: b@a.test\r\n\r\n", 400, "host-invalid"],
  ["Host list", "GET / HTTP/1.1\r\nHost: a.test b.test\r\n\r\n", 400, "host-invalid"],
  [
    "length with chunked",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    "content-length-with-transfer-encoding",
  ],
  [
    "chunked with length",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
    400,
    "content-length-with-transfer-encoding",
  ],
  [
    "differing lengths",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    400,
    "content-length-repeated",
  ],
  [
    "equal lengths twice",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`,
    400,
    "content-length-repeated",
  ],
  ["length list", `POST / HTTP/1.1\r\n${HOST}Content-Length: 4, 4\r\n\r\nabcd`, 400, "content-length-invalid"],
  ["signed length", `POST / HTTP/1.1\r\n${HOST}Content-Length: +4\r\n\r\nabcd`, 400, "content-length-invalid"],
  ["negative length", `POST / HTTP/1.1\r\n${HOST}Content-Length: -4\r\n\r\nabcd`, 400, "content-length-invalid"],
  ["hexadecimal length", `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x4\r\n\r\nabcd`, 400, "content-length-invalid"],
  ["empty length", `POST / HTTP/1.1\r\n${HOST}Content-Length:\r\n\r\nabcd`, 400, "content-length-invalid"],
  [
    "length beyond integers",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 9007199254740993\r\n\r\n`,
    400,
    "content-length-invalid",
  ],
  [
    "unknown coding",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
    "transfer-encoding-unknown",
  ],
  [
    "disguised chunked",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    501,
    "transfer-encoding-unknown",
  ],
  [
    "quoted chunked",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`,
    501,
    "transfer-encoding-unknown",
  ],
  [
    "chunked twice",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    "transfer-encoding-invalid",
  ],
  ["empty coding", `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n\r\n0\r\n\r\n`, 400, "transfer-encoding-invalid"],
  [
    "coding with parameters",
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`,
    501,
    "transfer-encoding-unknown",
  ],
  [
    "chunked in HTTP/1.0",
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    "transfer-encoding-in-http-1.0",
  ],
  ["method with a space before", ` GET / HTTP/1.1\r\n${HOST}\r\n`, 400, "method-invalid"],
  ["method with a bad character", `G(T / HTTP/1.1\r\n${HOST}\r\n`, 400, "method-invalid"],
  ["over-long method", `${"G".repeat(60)} / HTTP/1.1\r\n${HOST}\r\n`, 501, "method-unknown"],
  ["two spaces in the request line", `GET  / HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["space in the target", `GET /a b HTTP/1.1\r\n${HOST}\r\n`, 400, "http-version-invalid"],
  ["fragment in the target", `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["raw UTF-8 in the target", `GET /caf\u00c3\u00a9 HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["relative target", `GET a HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["asterisk for another method than OPTIONS", `GET * HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["absolute target of another scheme", `GET ftp://a.test/ HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["absolute target without a host", `GET http:///x HTTP/1.1\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["CONNECT", `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`, 501, "connect-not-supported"],
  ["no version", `GET /\r\n${HOST}\r\n`, 400, "request-target-invalid"],
  ["lower-case version", `GET / http/1.1\r\n${HOST}\r\n`, 400, "http-version-invalid"],
  ["HTTP/2.0", `GET / HTTP/2.0\r\n${HOST}\r\n`, 505, "http-version-unsupported"],
  ["almost HTTP/2's preface", "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http-version-unsupported"],
  ["HTTP/0.9", `GET / HTTP/0.9\r\n${HOST}\r\n`, 505, "http-version-unsupported"],
  ["two empty lines first", `\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, 400, "empty-lines-before-request"],
  ["over-long request line", `GET /${"a".repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 414, "request-line-too-long"],
  ["over-long target without an end", `GET /${"a".repeat(70_000)}`, 414, "request-line-too-long"],
  ["over-long head", `GET / HTTP/1.1\r\n${HOST}A: ${"b".repeat(70_000)}\r\n\r\n`, 431, "request-head-too-long"],
  ["too many fields", `GET / HTTP/1.1\r\n${HOST}${"A: b\r\n".repeat(300)}\r\n`, 431, "too-many-fields"],
  ["unknown expectation", `GET / HTTP/1.1\r\n${HOST}Expect: miracles\r\n\r\n`, 417, "expectation-unknown"],
  ["TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "method-invalid"],
  [
    "encoded slash hiding dot segments",
    `GET /a/..%2f..%2fadmin HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    400,
    "path-hides-dot-segments",
  ],
];

const BAD_CHUNKS: [name: string, body: string, reason: string][] = [
  ["not hexadecimal", "g\r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["0x prefix", "0x3\r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["sign", "+3\r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["leading space", " 3\r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["trailing space", "3 \r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["empty size", "\r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["size beyond integers", "ffffffffffffffff3\r\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["bare LF after the size", "3\nabc\r\n0\r\n\r\n", "chunk-size-invalid"],
  ["bare LF in an extension", "3;a\nabc\r\n0\r\n\r\n", "chunk-extension-invalid"],
  ["over-long extension", `3;${"a".repeat(2000)}\r\nabc\r\n0\r\n\r\n`, "chunk-extension-invalid"],
  ["data longer than the size", "3\r\nabcd\r\n0\r\n\r\n", "chunk-data-not-terminated"],
  ["bare LF after the data", "3\r\nabc\n0\r\n\r\n", "chunk-data-not-terminated"],
  ["folded trailer", "3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n", "obsolete-line-folding"],
  ["over-long trailers", `0\r\n${"A: b\r\n".repeat(200)}A: ${"b".repeat(20_000)}\r\n\r\n`, "trailers-too-long"],
];

describe("refused requests", () => {
  let backend: Backend;
  let port: number;
  const records: AccessRecord[] = [];
  const proxy = variantProxy({ onAccess: (record) => records.push(record) });

  before(async () => {
    backend = await answering(ok("leaked"));
    const hosts = { "*": [route("/*", "s")] };
    const [state] = await proxy.apply(table([listener(hosts)], [service("s", [backend.port])]));
    port = state!.port;
  });

  after(async () => {
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  for (const [name, bytes, status, reason] of REFUSED) {
    it(`${name}: ${status}`, async () => {
      const answer = await exchangeBytes(port, bytes);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [A-Z][^\\r]*\\r\\n`));
      assert.equal(records.at(-1)!.reason, reason);
      assert.deepEqual(backend.received, [], "nothing was forwarded");
    });
  }

  it("closes after a refusal and forgets what was pipelined behind it", async () => {
    const answer = await exchangeBytes(port, `GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`);
    assert.equal(answer.split("HTTP/1.1 ").length, 2);
    assert.match(answer, /\r\nConnection: close\r\n/);
  });

  it("lingers, so that a client still sending gets the answer", async () => {
    const client = new RawClient(port).send(`POST / HTTP/1.1\r\nContent-Length: 400000\r\n\r\n`);
    await client.until((received) => received.includes("\r\n\r\n"));
    client.send("x".repeat(400_000));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 [^]*host-missing\n$/);
    client.destroy();
  });

  for (const [name, body, reason] of BAD_CHUNKS) {
    it(`chunk with ${name}: 400, the body never completes at the backend`, async () => {
      const head = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
      const answer = await exchangeBytes(port, head + body);
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.equal(records.at(-1)!.reason, reason);
      assert.ok(!backend.received.some((received) => received.endsWith("0\r\n\r\n")));
      backend.received.length = 0;
    });
  }
});
