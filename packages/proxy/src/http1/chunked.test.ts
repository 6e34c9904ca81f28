import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ChunkedDecoder } from "./chunked.ts";
import { HeadBuffer } from "./head-buffer.ts";

/** Decodes `text` cut into pieces of `size` bytes: data, trailers, and how many bytes were left over. */
function decode(text: string, size: number): { body: string; trailers: string; left: number; done: boolean } {
  const bytes = Buffer.from(text, "latin1");
  const decoder = new ChunkedDecoder();
  let body = "";
  const sink = {
    onBody: (from: Buffer, start: number, end: number) => void (body += from.toString("latin1", start, end)),
  };
  let at = 0;
  while (at < bytes.length && !decoder.done) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    const consumed = decoder.decode(piece, 0, piece.length, sink);
    assert.notEqual(consumed, -1, decoder.refusal?.reason);
    at += consumed;
  }
  return { body, trailers: decoder.trailers, left: bytes.length - at, done: decoder.done };
}

describe("chunked coding", () => {
  const cases: [name: string, text: string, body: string, trailers: string, left: number][] = [
    ["one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", "", 0],
    ["several chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc", "", 0],
    [
      "sizes in hexadecimal of either case",
      "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
      "01234567890123456789",
      "",
      0,
    ],
    ["leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello", "", 0],
    ["extensions, dropped", '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', "hello", "", 0],
    ["whitespace before an extension", "5 \t;a\r\nhello\r\n0\r\n\r\n", "hello", "", 0],
    [
      "trailers, the forbidden ones dropped",
      "0\r\nA: b\r\nHost: x\r\nSet-Cookie: y\r\nC: d\r\n\r\n",
      "",
      "A: b\r\nC: d\r\n",
      0,
    ],
    ["what follows is left", "0\r\n\r\nGET / HTTP/1.1\r\n", "", "", 16],
    ["line ends inside data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", "", 0],
  ];
  for (const [name, text, body, trailers, left] of cases) {
    it(name, () => {
      for (let size = 1; size <= text.length; size++) {
        const got = decode(text, size);
        assert.deepEqual(got, { body, trailers, left: got.left, done: true }, `pieces of ${size}`);
      }
      assert.equal(decode(text, text.length).left, left);
    });
  }

  it("is not done before the last line end", () => {
    for (const text of ["5\r\nhello\r\n0\r\n", "5\r\nhello\r\n", "5\r\nhel", "0\r\nA: b\r\n"]) {
      assert.equal(decode(text, 1).done, false, text);
    }
  });
});

describe("head buffer", () => {
  it("asks for parsing only when that may help", () => {
    const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const buffer = new HeadBuffer();
    const asked = head.split("").map((char) => buffer.append(Buffer.from(char), 0, 1, 1000));
    assert.deepEqual(
      asked,
      head.split("").map((_, at) => at === head.length - 1),
    );
    assert.equal(buffer.bytes.toString(), head);
  });

  it("asks at once for a bare line feed and beyond the limit", () => {
    assert.equal(new HeadBuffer().append(Buffer.from("GET /\n"), 0, 6, 1000), true);
    assert.equal(new HeadBuffer().append(Buffer.from("GET /aaaaaa"), 0, 11, 10), true);
  });
});
