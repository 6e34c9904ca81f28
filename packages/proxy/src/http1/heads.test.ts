// Heads read without sockets: what is taken, and that nothing but the bytes of the message decides.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_LIMITS } from "../limits.ts";
import { ChunkedDecoder } from "./chunked.ts";
import { Framing, INCOMPLETE, REFUSED } from "./field-lines.ts";
import { RequestHead } from "./request-head.ts";
import { responseHeadText } from "./head-writer.ts";
import { ResponseHead } from "./response-head.ts";

const request = new RequestHead();
const answer = new ResponseHead();

/** The reason for a refusal, empty when the head was taken whole. */
function requestWith(...lines: string[]): string {
  const bytes = Buffer.from(
    `POST / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`,
    "latin1",
  );
  const after = request.parse(bytes, 0, bytes.length, DEFAULT_LIMITS);
  if (after === REFUSED) return request.refusal!.reason;
  assert.equal(after, bytes.length);
  return "";
}

function answerWith(start: string, ...lines: string[]): ResponseHead {
  const bytes = Buffer.from(`${start}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`, "latin1");
  assert.equal(answer.parse(bytes, 0, bytes.length, false, 1024), bytes.length);
  return answer;
}

describe("a request's head", () => {
  it("does not depend on what lies behind it in the buffer", () => {
    const bytes = Buffer.from("\r\n\r\n\r\n", "latin1");
    assert.equal(request.parse(bytes, 0, 2, DEFAULT_LIMITS), INCOMPLETE, "one empty line may come before it");
    assert.equal(request.parse(bytes, 0, 3, DEFAULT_LIMITS), REFUSED, "two may not");
  });

  it("is chunked when Transfer-Encoding says just that, in either case", () => {
    for (const coding of ["chunked", "Chunked", " \tchunked"]) {
      assert.equal(requestWith(`Transfer-Encoding: ${coding}`), "", JSON.stringify(coding));
      assert.equal(request.framing, Framing.chunked);
    }
  });

  it("is refused when Transfer-Encoding is chunked to a lenient reader only", () => {
    for (const coding of [
      ",chunked",
      "chunked,",
      ", chunked",
      "chunked ,",
      ",",
      "chunked ",
      "chunked\t",
      "chunked\r\nTransfer-Encoding: ",
    ])
      assert.equal(requestWith(`Transfer-Encoding: ${coding}`), "transfer-encoding-invalid", JSON.stringify(coding));
    // JavaScript trims no-break spaces, HTTP does not.
    for (const coding of ["\xa0chunked", "chunked\xa0", "\t\xa0chunked", "identity", "chunked\xe4"])
      assert.equal(requestWith(`Transfer-Encoding: ${coding}`), "transfer-encoding-unknown", JSON.stringify(coding));
    assert.equal(requestWith("Connection: close\xa0"), "");
    assert.equal(request.keepAlive, true);
  });
});

describe("an answer's head", () => {
  it("is as long as it may be, whether or not it comes in one piece", () => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nA: ${"b".repeat(100)}\r\n\r\n`);
    assert.equal(answer.parse(bytes, 0, bytes.length, false, bytes.length), bytes.length);
    assert.equal(answer.parse(bytes, 0, bytes.length, false, bytes.length - 1), REFUSED);
    assert.equal(answer.refusal!.reason, "backend-head-too-long");
  });

  it("is chunked when Transfer-Encoding says just that", () => {
    for (const coding of ["chunked,", ",chunked", "\xa0chunked", "chunked, chunked", "gzip, chunked"]) {
      const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n`, "latin1");
      assert.equal(answer.parse(bytes, 0, bytes.length, false, 1024), REFUSED, coding);
      assert.equal(answer.refusal!.reason, "backend-transfer-encoding-unknown");
    }
    assert.equal(answerWith("HTTP/1.1 200 OK", "Transfer-Encoding: \tCHUNKED ").framing, Framing.chunked);
  });

  it("keeps the connection unless it says close anywhere", () => {
    const keeps = (start: string, ...lines: string[]): boolean =>
      answerWith(start, "Content-Length: 0", ...lines).keepAlive;
    assert.equal(keeps("HTTP/1.1 200 OK"), true);
    assert.equal(keeps("HTTP/1.1 200 OK", "Connection: close, keep-alive"), false);
    assert.equal(keeps("HTTP/1.0 200 OK"), false);
    assert.equal(keeps("HTTP/1.0 200 OK", "Connection: keep-alive"), true);
    assert.equal(keeps("HTTP/1.0 200 OK", "Connection: close, keep-alive"), false);
    assert.equal(keeps("HTTP/1.0 200 OK", "Connection: close", "Connection: keep-alive"), false);
  });

  it("ends the connection when its framing is in doubt", () => {
    const keep = "Connection: keep-alive";
    // RFC 9112 section 6.1.
    assert.equal(answerWith("HTTP/1.0 200 OK", keep, "Transfer-Encoding: chunked").keepAlive, false);
    assert.equal(answerWith("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 3").keepAlive, false);
    // A body is announced that there cannot be: it may come all the same.
    assert.equal(answerWith("HTTP/1.1 204 No Content", "Content-Length: 5").keepAlive, false);
    assert.equal(answerWith("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked").keepAlive, false);
    assert.equal(answerWith("HTTP/1.1 204 No Content", "Content-Length: 0").keepAlive, true);
    // Here the length is the one the body would have had.
    assert.equal(answerWith("HTTP/1.1 304 Not Modified", "Content-Length: 5").keepAlive, true);
  });
});

describe("chunk extensions", () => {
  const refusalOf = (text: string): string => {
    const decoder = new ChunkedDecoder();
    const bytes = Buffer.from(text, "latin1");
    const after = decoder.decode(bytes, 0, bytes.length, { onBody() {} });
    return after === REFUSED ? decoder.refusal!.reason : "";
  };

  it("have a name (RFC 9112 section 7.1.1)", () => {
    for (const extension of [";a", "; a", " ;\ta", ";a=b", ';a="b;c"', ";a;b=c"])
      assert.equal(refusalOf(`1${extension}\r\na\r\n0\r\n\r\n`), "", extension);
    for (const extension of [";", "; ", ";;a", ";=a", ';"a"', ";\xa0a"])
      assert.equal(refusalOf(`1${extension}\r\na\r\n0\r\n\r\n`), "chunk-extension-invalid", extension);
  });
});

describe("what goes on", () => {
  it("has a status line of our own unless the backend's is just that", () => {
    const written = (start: string, ...lines: string[]): string =>
      responseHeadText(answerWith(start, ...lines), null, false, "");
    assert.equal(
      written("HTTP/1.1 200 OK", "A: b", "Connection: x", "C: d"),
      "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n",
    );
    assert.equal(written("HTTP/1.1 404 Not Found"), "HTTP/1.1 404 Not Found\r\n\r\n");
    assert.equal(written("HTTP/1.1 200 OK", "Connection: close"), "HTTP/1.1 200 OK\r\n\r\n");
    for (const start of ["HTTP/1.0 200 OK", "HTTP/1.7 200 OK"])
      assert.equal(written(start, "A: b"), "HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
    assert.equal(written("HTTP/1.1 200", "A: b"), "HTTP/1.1 200 \r\nA: b\r\n\r\n");
  });

  it("names a known host as it was sent, and looks it up in lower case", () => {
    for (const host of ["A.test:80", "a.test:80", "A.test:80", "b.test.", "[::1]:80", ""]) {
      const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "latin1");
      assert.equal(request.parse(bytes, 0, bytes.length, DEFAULT_LIMITS), bytes.length);
      assert.equal(request.host, host);
      assert.equal(request.bareHost, host.toLowerCase().replace(/:80$|\.$/, ""));
    }
  });
});
