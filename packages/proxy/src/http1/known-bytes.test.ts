// That what is known is only ever taken for the very same bytes, and what heads that were read before mean is what they meant.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANSWERS as ODD_ANSWERS, REQUESTS as ODD_REQUESTS } from "../fuzz/corpus.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { responseHeadText } from "./head-writer.ts";
import { KnownBytes, hashOf } from "./known-bytes.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";

describe("known bytes", () => {
  it("are found wherever they stand, whatever their length, and by no others", () => {
    for (let length = 4; length <= 21; length++) {
      const known = new KnownBytes<{ length: number }>(4);
      const bytes = Uint8Array.from({ length }, (_, at) => 65 + at);
      const elsewhere = Uint8Array.of(1, ...bytes).subarray(1);
      assert.equal(known.find(elsewhere, 0, length), null);
      known.keep(elsewhere, 0, { length });
      for (const offset of [0, 1, 3]) {
        // The memory that it is read from need not begin where its buffer does.
        const memory = new Uint8Array(length + 16).subarray(5).fill(66);
        memory.set(bytes, offset);
        assert.ok(known.find(memory, offset, memory.length), `${length} bytes`);
        assert.equal(known.find(memory, offset, offset + length - 1), null, "a byte is missing");
        for (let at = offset; at < offset + length; at++) {
          memory[at]!++;
          assert.equal(known.find(memory, offset, memory.length), null, `byte ${at - offset} differs`);
          memory[at]!--;
        }
      }
    }
  });

  it("are found beside others, in whatever order they come", () => {
    const known = new KnownBytes<{ length: number }>();
    const heads = Array.from({ length: 50 }, (_, at) => Buffer.from(`head ${at} `));
    for (const head of heads) {
      known.find(head, 0, head.length);
      known.keep(head, 0, { length: head.length });
    }
    // Some have been driven out by others.
    const found = heads.filter((head) => known.find(head, 0, head.length) !== null);
    assert.ok(found.length > 40, `${found.length}`);
    for (const head of found.toReversed()) {
      for (let time = 0; time < 2; time++) assert.equal(known.find(head, 0, head.length)?.length, head.length);
    }
  });

  it("are kept when they were missed twice in a row, and less and less often where they take turns", () => {
    const known = new KnownBytes<{ length: number }>(4);
    const [kept, other] = [Buffer.from("same1"), Buffer.from("same2")];
    const missesUntilWanted = (): number => {
      let misses = 0;
      do {
        assert.equal(known.find(other, 0, 5), null);
        misses++;
      } while (!known.wants(5));
      return misses;
    };
    assert.equal(missesUntilWanted(), 2);
    known.keep(kept, 0, { length: 5 });
    for (let time = 0; time < 1000; time++) {
      assert.equal(known.find(other, 0, 5), null);
      assert.equal(known.wants(5), false);
      assert.ok(known.find(kept, 0, 5), "it is of use in between");
    }
    assert.deepEqual([missesUntilWanted(), missesUntilWanted()], [4, 8]);
    for (let round = 0; round < 10; round++) missesUntilWanted();
    assert.equal(missesUntilWanted(), 128);
  });

  it("are not kept when others came in between", () => {
    const known = new KnownBytes<{ length: number }>();
    for (let head = 0; head < 10_000; head++) {
      const bytes = Buffer.from(`never again: ${head}`);
      assert.equal(known.find(bytes, 0, bytes.length), null);
      assert.equal(known.wants(bytes.length), false);
    }
  });

  it("are not kept when they are very short or long", () => {
    const known = new KnownBytes<{ length: number }>(4);
    const bytes = new Uint8Array(4097);
    const wanted = (length: number, times = 2): boolean => {
      assert.equal(known.find(bytes, 0, length), null);
      return Array.from({ length: times }, () => known.wants(length)).includes(true);
    };
    assert.equal(wanted(3, 1000), false);
    assert.equal(wanted(4097, 1000), false);
  });

  it("make room when there are many, unless they come again", () => {
    const known = new KnownBytes<{ length: number }>(4);
    const head = (number: number): Uint8Array => new Uint8Array(4096).fill(number >> 8, 1).fill(number & 255, 0, 1);
    const isFound = (number: number): boolean => known.find(head(number), 0, 4096) !== null;
    assert.equal(isFound(0), false);
    known.keep(head(0), 0, { length: 4096 });
    const kept: number[] = [];
    for (let number = 1; number <= 2000; number++) {
      for (let time = 0; time < 2; time++) {
        assert.ok(isFound(0), "one that comes again");
        assert.equal(isFound(number), false);
        if (!known.wants(4096)) continue;
        known.keep(head(number), 0, { length: 4096 });
        kept.push(number);
      }
    }
    assert.ok(kept.length > 1000, `${kept.length} were kept`);
    assert.ok(isFound(kept.at(-1)!), "there is room for the last of them");
    const found = kept.filter(isFound).length;
    assert.ok(found <= 512 && found > 400, `${found} of 512 are known`);
  });

  it("fall on a slot by each of them", () => {
    const bytes = Uint8Array.from({ length: 103 }, (_, at) => at);
    const hash = hashOf(bytes, 1, 103);
    assert.notEqual(hashOf(bytes, 1, 102), hash);
    for (let at = 1; at < 103; at++) {
      const changed = bytes.slice();
      changed[at]!++;
      assert.notEqual(hashOf(changed, 1, 103) >>> 20, hash >>> 20, `byte ${at}`);
    }
    assert.equal(hashOf(new Uint8Array(), 0, 0), hashOf(new Uint8Array(8), 4, 4));
    const large = new Uint8Array(64 * 1024);
    assert.notEqual(hashOf(large, 0, large.length - 1), hashOf(large, 0, large.length));
  });
});

/** Of each text all that differ from it in one byte, and those that are cut off. */
function withNeighbours(texts: readonly string[]): Buffer[] {
  return texts.flatMap((text) => {
    const bytes = Buffer.from(text, "latin1");
    const changed = Array.from(bytes, (byte, at) => {
      const other = Buffer.from(bytes);
      other[at] = byte ^ 0x20;
      return other;
    });
    return [bytes, ...changed, bytes.subarray(0, -1), bytes.subarray(0, bytes.length >> 1)];
  });
}

const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
  "GET / HTTP/1.0\r\nHost: a.test\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
  "PUT /a/b?c=d HTTP/1.1\r\nHost: A.test:80\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
  "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, x\r\nX: y\r\n\r\n5\r\nhello\r\n",
  "GET / HTTP/1.1\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
  "GET http://b.test/c HTTP/1.1\r\nHost: a.test\r\nReferer: /d\r\n\r\n",
  "\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTE: trailers\r\n\r\n",
];
const ANSWERS = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nA: b\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n5\r\nhello\r\n",
  "HTTP/1.0 404 Not Found\r\nConnection: x, y\r\nX: z\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
];

/** Often enough for what is kept when it comes again. */
const PASSES = 6;

/** Reads all again and again: in every pass each must say what it said in the first. In between others are read, so that nothing
 * is right for being left from the time before. */
function readsAlike(
  messages: readonly Buffer[],
  others: readonly string[],
  readOne: (message: Buffer) => unknown,
): void {
  const between = others.map((text) => Buffer.from(text, "latin1"));
  let turn = 0;
  const read = (message: Buffer): unknown => {
    readOne(between[turn++ % between.length]!);
    return readOne(message);
  };
  const first = messages.map(read);
  for (let pass = 1; pass < PASSES; pass++) {
    for (const [index, message] of messages.entries()) {
      // The unchanged ones that its neighbours could be taken for are known well.
      for (let again = 0; again < 3; again++) assert.deepEqual(read(message), first[index], message.toString("latin1"));
    }
  }
}

describe("heads that come again", () => {
  it("are read as they were the first time: requests", () => {
    const head = new RequestHead();
    let recalled = 0;
    readsAlike(withNeighbours([...REQUESTS, ...ODD_REQUESTS]), REQUESTS, (message) => {
      const after = head.parse(message, 0, message.length, DEFAULT_LIMITS);
      if (after <= 0) return [after, after < 0 ? head.refusal!.reason : ""];
      if (head.known !== null) recalled++;
      const lines = Array.from({ length: head.count }, (_, at) => [head.name(at), head.value(at), head.ids[at]]);
      const { method, target, path, query, startText, minor, protocol, host, bareHost, framing, contentLength } = head;
      const { keepAlive, expectContinue, upgrade, connectionOptions, acceptsTrailers, userAgent, referer } = head;
      const start = [method, target, path, query, startText, minor, protocol, host, bareHost];
      const body = [framing, contentLength, expectContinue, acceptsTrailers];
      const connection = [keepAlive, upgrade, connectionOptions];
      return [after, lines, start, body, connection, userAgent, referer, head.get("host"), head.end];
    });
    assert.ok(recalled > 100, `${recalled} were known`);
  });

  it("are read as they were the first time: answers, whatever was asked", () => {
    const head = new ResponseHead();
    let recalled = 0;
    for (const toHead of [false, true, false]) {
      readsAlike(withNeighbours([...ANSWERS, ...ODD_ANSWERS]), ANSWERS, (message) => {
        const after = head.parse(message, 0, message.length, toHead, 1024);
        if (after <= 0) return [after, after < 0 ? head.refusal!.reason : ""];
        if (head.known !== null) recalled++;
        const { status, phrase, framing, contentLength, keepAlive, idleHint, connectionOptions, dropLength } = head;
        const written = [
          responseHeadText(head, null, false, ""),
          responseHeadText(head, null, true, "close"),
          responseHeadText(head, { drop: new Set(["a"]), append: "B: c\r\n" }, false, ""),
        ];
        const meaning = [framing, contentLength, keepAlive, idleHint, connectionOptions, dropLength];
        return [after, status, phrase, meaning, written];
      });
    }
    assert.ok(recalled > 100, `${recalled} were known`);
  });

  it("are bound by limits that were others then", () => {
    const request = Buffer.from("GET /some/path HTTP/1.1\r\nHost: limits.test\r\n\r\n");
    const head = new RequestHead();
    const read = (limits: object): number => head.parse(request, 0, request.length, { ...DEFAULT_LIMITS, ...limits });
    for (let time = 0; time < 5; time++) assert.equal(read({}), request.length);
    assert.ok(head.known !== null);
    assert.equal(read({ headBytes: request.length - 1 }), -1);
    assert.equal(head.refusal!.status, 431);
    assert.equal(read({ requestLineBytes: 10 }), -1);
    assert.equal(head.refusal!.status, 414);
    const answer = new ResponseHead();
    const bytes = Buffer.from("HTTP/1.1 200 OK\r\nX-Limits: y\r\nContent-Length: 0\r\n\r\n");
    for (let time = 0; time < 5; time++) assert.equal(answer.parse(bytes, 0, bytes.length, false, 1024), bytes.length);
    assert.equal(answer.parse(bytes, 0, bytes.length, false, bytes.length - 1), -1);
  });
});
