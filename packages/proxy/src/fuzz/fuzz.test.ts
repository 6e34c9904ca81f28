// A short search on every run; `npm run fuzz -- --count N --seed S` searches on.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { campaign, refusedThoughCorrect } from "./campaign.ts";
import { ANSWERS, REQUESTS } from "./corpus.ts";
import { checkAnswers, checkEveryCut, checkRequests, disagreement } from "./differential.ts";
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
