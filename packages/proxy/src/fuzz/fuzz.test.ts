// A short search on every run; `npm run fuzz -- --count N --seed S` searches on.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { campaign, refusedThoughCorrect } from "./campaign.ts";
import { ANSWERS, REQUESTS } from "./corpus.ts";
import { CONNECTIONS } from "./http2-corpus.ts";
import { checkAnswers, checkEveryCut, checkRequests, disagreement } from "./differential.ts";
import { checkConnections, http2Campaign, misbehaviour, misread } from "./http2-differential.ts";
import { Http2Writer } from "./http2-grammar.ts";
import { readConnection } from "./http2-reading.ts";
import { requestsByLlhttp } from "./llhttp-reading.ts";
import { readAnswer, readRequests } from "./our-reading.ts";
import { Random } from "./random.ts";

const random = new Random(1);

describe("the parsers beside llhttp", () => {
  it("frame alike what was once worth keeping, and what is sent on of it, wherever it is cut", async () => {
    assert.deepEqual(await checkRequests(REQUESTS, random), []);
    assert.deepEqual(checkEveryCut(REQUESTS, readRequests), []);
    for (const toHead of [false, true]) {
      assert.deepEqual(await checkAnswers(ANSWERS, toHead, random), []);
      assert.deepEqual(
        checkEveryCut(ANSWERS, (bytes, cuts) => readAnswer(bytes, toHead, cuts)),
        [],
      );
    }
  });

  it("frame alike whatever a search comes upon", async () => {
    const { findings, taken, refused } = await campaign(20_000, 20_260_101);
    assert.deepEqual(findings, []);
    assert.ok(taken > 2000 && refused > 5000, `a search of ${taken} taken and ${refused} refused says little`);
  });

  it("take every correct stream", () => {
    assert.deepEqual(refusedThoughCorrect(10_000, 2), []);
  });
});

describe("HTTP/2 connections beside node:http2", () => {
  it("take alike what was once worth keeping, wherever it is cut", async () => {
    assert.deepEqual(await checkConnections(CONNECTIONS, random, true), []);
    for (const stream of CONNECTIONS) {
      const bytes = Buffer.from(stream, "latin1");
      const { error } = readConnection(bytes);
      for (let at = 1; at < bytes.length; at++)
        assert.equal(readConnection(bytes, [at]).error, error, `${at} of ${stream}`);
    }
  });

  it("take alike whatever a search comes upon, and say nothing that may not be said", async () => {
    const { findings, taken, failed } = await http2Campaign(2000, 20_260_101);
    assert.deepEqual(findings, []);
    assert.ok(taken > 800 && failed > 300, `a search of ${taken} taken and ${failed} failed says little`);
  });

  it("take every correct one", () => {
    const writer = new Http2Writer(new Random(3), 0);
    for (let each = 0; each < 1000; each++) {
      const stream = writer.connection();
      const { error, fault } = readConnection(Buffer.from(stream, "latin1"));
      assert.deepEqual([error, fault], [0, ""], JSON.stringify(stream));
    }
  });

  it("are found out when they say or read what cannot be", () => {
    const head = { type: 1, flags: 4, stream: 1, payload: Buffer.alloc(1) };
    const settings = { type: 4, flags: 0, stream: 0, payload: Buffer.alloc(0) };
    const goaway = { type: 7, flags: 0, stream: 0, payload: Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]) };
    assert.equal(misbehaviour([settings, head, { ...head, flags: 5 }]), null);
    for (const frames of [
      [head],
      [settings, { ...head, type: 0 }],
      [settings, { ...head, flags: 5 }, head],
      [settings, { ...head, type: 3 }, head],
      [settings, goaway, head],
    ]) {
      assert.notEqual(misbehaviour(frames), null);
    }
    const ours = { requests: ["GET /1 a", "GET /2 a"], frames: [], error: 0, fault: "" };
    assert.equal(misread(ours, ["GET /1 a"]), null);
    assert.notEqual(misread(ours, ["GET /1 a", "GET /2 b"]), null);
  });
});

describe("the search itself", () => {
  it("finds readings that cannot both be", async () => {
    const stream = (length: number): Buffer =>
      Buffer.from(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nhelloGET /x HTTP/1.1\r\nHost: a\r\n\r\n`,
      );
    const [oracle] = await requestsByLlhttp([stream(5)]);
    assert.equal(disagreement(readRequests(stream(5)), oracle!), null);
    for (const length of [0, 4, 6, 30]) assert.notEqual(disagreement(readRequests(stream(length)), oracle!), null);
    const deaf = (bytes: Buffer, cuts: number[]) => readRequests(cuts.length === 0 ? bytes : bytes.subarray(0, -1));
    const [finding] = checkEveryCut([String(stream(5))], deaf);
    assert.match(finding!.what, /^in pieces \(1\): incomplete/);
  });

  it("makes the same streams of the same seed", async () => {
    const [first, again, other] = [await campaign(400, 7), await campaign(400, 7), await campaign(400, 8)];
    assert.deepEqual(first, again);
    assert.notDeepEqual([first.taken, first.refused], [other.taken, other.refused]);
  });
});
