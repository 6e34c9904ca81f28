// What is kept is what came, and costs about as much.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeptBytes } from "./kept-bytes.ts";

const add = (kept: KeptBytes, text: string): void => kept.add(Buffer.from(`<${text}>`), 1, text.length + 1);

describe("bytes that are kept", () => {
  it("come out as they went in, whole or piece by piece, whatever sizes they had", () => {
    const kept = new KeptBytes();
    let all = "";
    for (const length of [1, 0, 300, 1, 20_000, 1, 1, 16_384, 255, 256, 257]) {
      add(kept, String.fromCharCode(65 + (all.length % 26)).repeat(length));
      all += String.fromCharCode(65 + (all.length % 26)).repeat(length);
      assert.equal(kept.size, all.length);
    }
    assert.equal(Buffer.concat(kept.pieces()).toString(), all);
    let out = "";
    while (kept.size > 0) {
      out += kept.shift().toString();
      // What comes meanwhile goes behind.
      if (out.length < 1000) {
        add(kept, "!");
        all += "!";
      }
    }
    assert.equal(out, all);
  });

  it("and were taken out are not written over by what is added", () => {
    const kept = new KeptBytes();
    add(kept, "first");
    const [seen] = kept.pieces();
    add(kept, "second");
    const taken = kept.shift();
    add(kept, "third");
    assert.deepEqual([seen!.toString(), taken.toString(), kept.shift().toString()], ["first", "firstsecond", "third"]);
  });

  it("lie in few blocks, though they came one by one; large pieces are not split", () => {
    const kept = new KeptBytes();
    for (let index = 0; index < 100_000; index++) kept.add(Buffer.from("x"), 0, 1);
    assert.ok(kept.pieces().length < 20, `${kept.pieces().length} pieces`);
    kept.clear();
    assert.deepEqual([kept.size, kept.pieces()], [0, []]);
    kept.add(Buffer.alloc(100_000), 0, 100_000);
    assert.equal(kept.pieces().length, 1);
  });
});
