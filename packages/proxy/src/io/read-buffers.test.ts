import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReadBuffers, SHARED } from "./read-buffers.ts";

/** A connection that carries a large body: it reads into memory of its own. */
function busy(): { buffers: ReadBuffers; memory: Buffer } {
  const buffers = new ReadBuffers();
  buffers.borrow(SHARED.subarray(0, 1));
  return { buffers, memory: buffers.next() };
}

describe("the memory of a large body", () => {
  it("serves another connection once it is released and the read is over", () => {
    const { buffers, memory } = busy();
    assert.notEqual(memory, SHARED);
    buffers.release();
    assert.notEqual(busy().memory, memory, "the read is not over");
    assert.equal(buffers.next(), SHARED);
    assert.equal(busy().memory, memory);
  });

  it("serves nobody else while what it holds has still to be written, also when that turns out after the release", () => {
    const { buffers, memory } = busy();
    buffers.release();
    buffers.keep();
    assert.equal(buffers.next(), SHARED);
    for (let others = 0; others < 20; others++) assert.notEqual(busy().memory, memory);
  });

  it("is read into again by its own connection unless it is kept", () => {
    const { buffers, memory } = busy();
    assert.equal(buffers.next(), memory);
    buffers.keep();
    assert.notEqual(buffers.next(), memory);
  });

  it("serves another connection when its own is closed", () => {
    const { buffers, memory } = busy();
    buffers.giveBack();
    assert.equal(busy().memory, memory);
  });
});
