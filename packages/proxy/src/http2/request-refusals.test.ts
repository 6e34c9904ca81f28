// Requests that HTTP/2 could carry and a backend could read otherwise: refused, and nothing of them is forwarded. Malformed ones
// are reset (RFC 9113 section 8.1.1), others answered.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Framing } from "../http1/field-lines.ts";
import { RequestHead } from "../http1/request-head.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { createProxy } from "../proxy.ts";
import { FrameClient, requestFields } from "../testing/http2-frames.ts";
import type { FieldList } from "../testing/http2-frames.ts";
import { ok, startBackend } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { readRequestFields } from "./request-fields.ts";

const MALFORMED = -1;
const length = (value: string): FieldList => requestFields([["content-length", value]], "POST");
const target = (path: string, method = "GET"): FieldList => requestFields([], method, path);
const without = (name: string): FieldList => requestFields().filter(([each]) => each !== name);
const at = (authority: string, more: FieldList = []): FieldList => [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", authority],
  [":path", "/"],
  ...more,
];

describe("requests over HTTP/2 that are refused", () => {
  let backend: Backend;
  const proxy = createProxy();
  let port: number;

  before(async () => {
    backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(ok("served", "Connection: close\r\n"));
    });
    const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s")] })], [service("s", [backend.port])]));
    port = state!.port;
  });

  after(async () => {
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  /** The outcome, and what the backend got. */
  async function send(fields: FieldList, body?: string): Promise<{ outcome: number; forwarded: string }> {
    const before = backend.received.length;
    const client = new FrameClient(port);
    if (body === undefined) client.request(1, fields);
    else client.open(1, fields).data(1, body, true);
    const outcome = await client.outcome(1);
    client.destroy();
    return { outcome, forwarded: backend.received.slice(before).join("") };
  }

  const cases: [name: string, fields: FieldList, outcome: number, body?: string][] = [
    [
      "H2.TE: Transfer-Encoding",
      requestFields([["transfer-encoding", "chunked"]], "POST"),
      MALFORMED,
      "0\r\n\r\nGET /x",
    ],
    ["H2.CL: less length than body", length("1"), MALFORMED, "abGET /evil HTTP/1.1\r\n\r\n"],
    ["H2.CL: length 0 with a body", length("0"), MALFORMED, "GET /evil HTTP/1.1\r\n\r\n"],
    ["more length than body", length("9"), MALFORMED, "abc"],
    ["a length without a body", length("5"), MALFORMED],
    [
      "two lengths",
      requestFields(
        [
          ["content-length", "1"],
          ["content-length", "1"],
        ],
        "POST",
      ),
      MALFORMED,
      "a",
    ],
    ["a length that is a list", length("1, 1"), MALFORMED, "a"],
    ["a length with a sign", length("+1"), MALFORMED, "a"],
    ["Connection", requestFields([["connection", "close"]]), MALFORMED],
    ["Proxy-Connection", requestFields([["proxy-connection", "close"]]), MALFORMED],
    ["Keep-Alive", requestFields([["keep-alive", "5"]]), MALFORMED],
    ["Upgrade", requestFields([["upgrade", "websocket"]]), MALFORMED],
    ["HTTP2-Settings", requestFields([["http2-settings", "AAA"]]), MALFORMED],
    ["TE beyond trailers", requestFields([["te", "gzip"]]), MALFORMED],
    ["TE with a quality", requestFields([["te", "trailers;q=0.5"]]), MALFORMED],
    ["an upper-case name", requestFields([["X-A", "1"]]), MALFORMED],
    ["a value with line ends", requestFields([["x", "a\r\nevil: 1"]]), MALFORMED],
    ["a value with NUL", requestFields([["x", "evil\0"]]), MALFORMED],
    ["a name with line ends", requestFields([["x\r\nevil", "1"]]), MALFORMED],
    ["a name with a colon", requestFields([["x:evil", "1"]]), MALFORMED],
    ["a name with a space", requestFields([["x evil", "1"]]), MALFORMED],
    ["an empty name", requestFields([["", "evil"]]), MALFORMED],
    ["blanks around a value", requestFields([["x", " evil "]]), MALFORMED],
    ["a pseudo-header twice", requestFields([]).concat([[":path", "/b"]]), MALFORMED],
    ["a pseudo-header behind a field", [...without(":path"), ["x", "y"], [":path", "/"]], MALFORMED],
    ["an unknown pseudo-header", [[":evil", "1"], ...requestFields()], MALFORMED],
    ["a response's pseudo-header", [[":status", "200"], ...requestFields()], MALFORMED],
    ["no method", without(":method"), MALFORMED],
    ["no path", without(":path"), MALFORMED],
    ["no scheme", without(":scheme"), MALFORMED],
    ["neither authority nor Host", without(":authority"), MALFORMED],
    ["a method with a request line in it", target("/", "GET /evil HTTP/1.1\r\nHost: evil\r\n\r\nGET"), MALFORMED],
    ["a path with a space", target("/a HTTP/1.1"), MALFORMED],
    ["a path with line ends", target("/a\r\nx: y"), MALFORMED],
    ["a path with a fragment", target("/#a"), MALFORMED],
    ["a path with bytes beyond ASCII", target("/\xe9"), MALFORMED],
    ["a path in absolute form", target("http://evil.test/x"), MALFORMED],
    ["a path without a slash", target("x"), MALFORMED],
    ["an empty path", target(""), MALFORMED],
    ["an asterisk with GET", target("*"), MALFORMED],
    ["a path that hides dot segments", target("/a/..%2fb"), 400],
    ["an authority with user information", at("user@a.test"), MALFORMED],
    ["an authority with line ends", at("a.test\r\nx: y"), MALFORMED],
    ["an authority with a path", at("a.test/x"), MALFORMED],
    ["an authority that is no host", at("a.test:http"), MALFORMED],
    ["an empty authority", at(""), MALFORMED],
    ["a scheme with a space", [[":method", "GET"], [":scheme", "ht tp"], ...at("a").slice(2)], MALFORMED],
    ["a scheme of something else", [[":method", "GET"], [":scheme", "ftp"], ...at("a").slice(2)], MALFORMED],
    ["another Host than authority", at("a.test", [["host", "b.test"]]), MALFORMED],
    [
      "two Hosts",
      at("a.test", [
        ["host", "a.test"],
        ["host", "a.test"],
      ]),
      MALFORMED,
    ],
    ["an unknown expectation", requestFields([["expect", "200-ok"]]), 417],
    [
      "CONNECT",
      [
        [":method", "CONNECT"],
        [":authority", "evil.test:443"],
      ],
      501,
    ],
    [
      "extended CONNECT, which is not offered",
      [[":method", "CONNECT"], [":protocol", "websocket"], ...at("a").slice(1)],
      MALFORMED,
    ],
    ["a path that is too long", target(`/${"a".repeat(DEFAULT_LIMITS.requestLineBytes)}`), 414],
    [
      "more fields than there may be",
      requestFields(Array.from({ length: 300 }, (_, index) => [`x-${index}`, ""])),
      431,
    ],
  ];
  for (const [name, fields, expected, body] of cases) {
    it(name, async () => {
      const { outcome, forwarded } = await send(fields, body);
      assert.equal(outcome, expected);
      assert.doesNotMatch(forwarded, /evil|\/b|chunked|x: y/);
    });
  }

  it("but not what is merely unusual", async () => {
    for (const fields of [
      at("a.test", [["host", "A.test"]]),
      [...without(":authority"), ["host", "a.test"]] as FieldList,
      at("[::1]:80"),
      target("*", "OPTIONS"),
      requestFields([["te", "trailers"]]),
      requestFields([["content-length", "0"]], "POST"),
      requestFields([], "PROPFIND"),
      at("a.test").map(([name, value]) => [name, name === ":scheme" ? "https" : value]) as FieldList,
    ]) {
      assert.equal((await send(fields)).outcome, 200, JSON.stringify(fields));
    }
  });
});

describe("a header list read as a head", () => {
  const head = new RequestHead();
  const read = (fields: FieldList, ended = true): string => {
    const why = readRequestFields(head, fields.flat(), ended, DEFAULT_LIMITS);
    return why === null ? "" : `${why.status} ${why.reason}`;
  };

  it("is refused for the right reason", () => {
    const x = (name: string, value: string): FieldList => requestFields([[name, value]]);
    for (const [fields, reason] of [
      [x("x", "a\r\nb: c"), "400 field-value-invalid"],
      [x("x", "a\r\n\r\nGET / HTTP/1.1"), "400 field-value-invalid"],
      [x("x", "a\nb"), "400 bare-lf"],
      [x("x", "a\0b"), "400 field-value-invalid"],
      [x("x:y", "z"), "400 field-name-invalid"],
      [x("x\r\ny", "z"), "400 field-name-invalid"],
      [x("", "z"), "400 field-name-empty"],
      [x("x ", "z"), "400 whitespace-before-colon"],
      [x("connection", "close"), "400 connection-specific-field"],
      [x("transfer-encoding", "chunked"), "400 connection-specific-field"],
      [x("upgrade", "h2c"), "400 connection-specific-field"],
      [x("te", "gzip"), "400 te-invalid"],
      [x("content-length", "5"), "400 content-length-without-body"],
      [x("content-length", "5, 5"), "400 content-length-invalid"],
      [
        requestFields([
          ["content-length", "0"],
          ["content-length", "0"],
        ]),
        "400 content-length-repeated",
      ],
      [target("/a HTTP/1.1\r\nx: y\r\n\r\n"), "400 host-missing"],
      [at(""), "400 host-missing"],
      [x("x", " y"), "400 field-value-invalid"],
      [x("x", "y "), "400 field-value-invalid"],
      [at("a "), "400 field-value-invalid"],
      [x("X", "y"), "400 field-name-invalid"],
      [target("http://evil.test/"), "400 request-target-invalid"],
      [target("/", "GET /x HTTP/1.1\r\n"), "400 obsolete-line-folding"],
      [target("/", "GET /x HTTP/1.1\r\ny:"), "400 field-value-invalid"],
      [target("/", "\r\nGET"), "400 method-invalid"],
      [target("/", ""), "400 method-invalid"],
      [at("a\r\nx: y"), "400 field-value-invalid"],
      [at("u@a"), "400 host-invalid"],
      [at("a", [["host", "b"]]), "400 host-differs-from-authority"],
      [
        at("a", [
          ["host", "a"],
          ["host", "a"],
        ]),
        "400 host-repeated",
      ],
      [[...at("a"), [":path", "/"]], "400 pseudo-header-repeated"],
      [[[":method", "GET"], ["x", "y"], ...at("a").slice(1)], "400 pseudo-header-after-field"],
      [[[":protocol", "websocket"], ...at("a")], "400 pseudo-header-unknown"],
      [at("a").slice(1), "400 pseudo-header-missing"],
      [x("x", "y".repeat(2 * DEFAULT_LIMITS.headBytes)), "431 request-head-too-long"],
    ] as [FieldList, string][]) {
      assert.equal(read(fields), reason, JSON.stringify(fields).slice(0, 100));
    }
  });

  it("knows whether a body follows", () => {
    assert.equal(read(requestFields()), "");
    assert.equal(head.framing, Framing.none);
    assert.equal(read(requestFields(), false), "");
    assert.equal(head.framing, Framing.chunked);
    assert.equal(read(requestFields([["content-length", "5"]]), false), "");
    assert.deepEqual([head.framing, head.contentLength], [Framing.length, 5]);
    assert.equal(head.protocol, "HTTP/2.0");
  });
});
