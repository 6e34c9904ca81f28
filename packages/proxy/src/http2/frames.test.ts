// Frames are the same wherever the bytes are cut.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, Flag, frameHead, FrameReader, FrameType, headerFrames, LARGEST_PAYLOAD } from "./frames.ts";
import { number32, settingsFrame, Unit } from "./frames.ts";

interface Read {
  frames: string[];
  unit: number;
}

/** All frames of a stream that arrives in pieces ended by `cuts`; content of DATA is joined. */
function readFrames(text: string, cuts: number[] = []): Read {
  const stream = Buffer.from(text, "latin1");
  const reader = new FrameReader();
  const frames: string[] = [];
  let content = "";
  let at = 0;
  for (const cut of [...cuts, stream.length]) {
    const piece = Buffer.from(stream.subarray(at, cut));
    for (let from = 0; from < piece.length;) {
      from = reader.read(piece, from, piece.length);
      const head = `${reader.type}/${reader.flags}/${reader.stream}/${reader.length}`;
      if (reader.unit > Unit.data) return { frames, unit: reader.unit };
      if (reader.unit === Unit.dataHead) content = "";
      if (reader.unit === Unit.data || reader.unit === Unit.frame)
        content += reader.bytes.toString("latin1", reader.start, reader.end);
      if (reader.unit === Unit.frame || (reader.unit !== Unit.none && reader.last)) {
        frames.push(`${head} ${content}`);
        content = "";
        reader.last = false;
      }
    }
    at = cut;
  }
  return { frames, unit: reader.unfinished ? Unit.none : reader.unit };
}

const data = (payload: string, flags = 0): string => frameHead(payload.length, FrameType.data, flags, 1) + payload;

describe("frames", () => {
  const stream =
    settingsFrame([[4, 7]]) +
    frameHead(0, FrameType.settings, Flag.ack, 0) +
    headerFrames(0x7fffffff, "block", true) +
    data("hello") +
    data("") +
    data("\x03abc\0\0\0", Flag.padded | Flag.endStream) +
    data("\x02\0\0", Flag.padded) +
    data("\0x", Flag.padded) +
    frameHead(8, FrameType.ping, 0, 0) +
    "12345678" +
    frameHead(3, 99, 7, 5) +
    "any";
  const expected = [
    "4/0/0/6 \0\x04\0\0\0\x07",
    "4/1/0/0 ",
    "1/5/2147483647/5 block",
    "0/0/1/5 hello",
    "0/0/1/0 ",
    "0/9/1/7 abc",
    "0/8/1/3 ",
    "0/8/1/2 x",
    "6/0/0/8 12345678",
    "99/7/5/3 any",
  ];

  it("are read whole, cut anywhere, and byte by byte", () => {
    assert.deepEqual(readFrames(stream).frames, expected);
    for (let cut = 1; cut < stream.length; cut++) {
      assert.deepEqual(readFrames(stream, [cut]).frames, expected, `cut at ${cut}`);
      for (let next = cut + 1; next < Math.min(cut + 12, stream.length); next++)
        assert.deepEqual(readFrames(stream, [cut, next]).frames, expected, `cut at ${cut} and ${next}`);
    }
    const everywhere = Array.from({ length: stream.length - 1 }, (_, at) => at + 1);
    assert.deepEqual(readFrames(stream, everywhere).frames, expected);
  });

  it("that are not whole are not there", () => {
    for (const part of ["\0\0", frameHead(5, FrameType.ping, 0, 0), `${frameHead(5, FrameType.headers, 0, 1)}1234`])
      assert.deepEqual(readFrames(part), { frames: [], unit: Unit.none });
  });

  it("may have the largest size, and not one byte more", () => {
    const largest = "x".repeat(LARGEST_PAYLOAD);
    assert.equal(readFrames(frameHead(LARGEST_PAYLOAD, 99, 0, 0) + largest).frames.length, 1);
    for (const type of [FrameType.data, FrameType.headers, 99]) {
      const tooLarge = frameHead(LARGEST_PAYLOAD + 1, type, 0, 1);
      assert.equal(readFrames(tooLarge).unit, Unit.tooLarge);
      assert.equal(readFrames(tooLarge, [4]).unit, Unit.tooLarge);
    }
  });

  it("padded beyond their end are wrong, in pieces too", () => {
    for (const payload of ["", "\x01", "\x05abcd"]) {
      const padded = data(payload, Flag.padded);
      assert.equal(readFrames(padded).unit, Unit.badPadding, JSON.stringify(payload));
      assert.equal(
        readFrames(
          padded,
          [5, 9].filter((cut) => cut < padded.length),
        ).unit,
        Unit.badPadding,
      );
    }
    assert.deepEqual(readFrames(data("\x04abcd", Flag.padded)).frames, ["0/8/1/5 "]);
  });

  it("of header blocks that do not fit in one go on", () => {
    const block = "b".repeat(2 * LARGEST_PAYLOAD + 1);
    const { frames } = readFrames(headerFrames(3, block, true));
    assert.deepEqual(
      frames.map((each) => each.split(" ")[0]),
      [`1/1/3/${LARGEST_PAYLOAD}`, `9/0/3/${LARGEST_PAYLOAD}`, "9/4/3/1"],
    );
    assert.deepEqual(readFrames(headerFrames(3, "b".repeat(LARGEST_PAYLOAD), false)).frames.length, 1);
  });

  it("have numbers of 32 bits", () => {
    assert.equal(number32(0xfffffffe), "\xff\xff\xff\xfe");
    assert.equal(number32(ErrorCode.enhanceYourCalm), "\0\0\0\x0b");
  });
});
