import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MalformedProtobuf, WireReader } from "./wire-reader.ts";

const reader = (...bytes: number[]): WireReader => new WireReader(Buffer.from(bytes));

const repeated = (length: number, byte: number): number[] => Array.from({ length }, () => byte);

describe("the wire reader", () => {
  test("reads tags", () => {
    assert.deepEqual(reader(0x08).tag(), { number: 1, wire: 0 });
    assert.deepEqual(reader(0xa2, 0x01).tag(), { number: 20, wire: 2 });
    // The largest field number there is.
    assert.deepEqual(reader(0xfa, 0xff, 0xff, 0xff, 0x0f).tag(), { number: 536_870_911, wire: 2 });
    assert.throws(() => reader(0x02).tag(), MalformedProtobuf);
  });

  test("reads signed numbers of 64 bits", () => {
    assert.equal(reader(0x00).int64(), 0);
    assert.equal(reader(0x96, 0x01).int64(), 150);
    assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x07).int64(), 2 ** 31 - 1);
    assert.equal(reader(...repeated(9, 0xff), 0x01).int64(), -1);
    assert.equal(reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x08).int64(), 2 ** 52);
  });

  test("refuses numbers without an end", () => {
    assert.throws(() => reader(0x80).int64(), /ends in the middle/);
    assert.throws(() => reader(...repeated(11, 0x80)).int64(), /longer than ten bytes/);
    assert.throws(() => reader(0xff, 0xff, 0xff, 0xff, 0x1f).uint32(), /exceeds 32 bits/);
  });

  test("reads chunks, texts and floats", () => {
    const input = reader(0x02, 0x68, 0x69, 0x00, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f);
    assert.equal(input.text(), "hi");
    assert.equal(input.text(), "");
    assert.equal(input.double(), 1.5);
    assert.equal(input.done, true);
    assert.throws(() => reader(0x03, 0x68).chunk(), /ends in the middle/);
    assert.throws(() => reader(0xff, 0xff, 0xff, 0xff, 0x0f, 0x68).chunk(), /ends in the middle/);
    assert.throws(() => reader(0x01, 0xff).text(), /UTF-8/);
    assert.throws(() => reader(0, 0).double(), /ends in the middle/);
  });

  test("passes over every kind of value but groups", () => {
    const input = reader(0x96, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0x01, 0x61, 1, 2, 3, 4, 0x2a);
    for (const wire of [0, 1, 2, 5]) input.skip(wire);
    assert.equal(input.int64(), 42);
    for (const wire of [3, 4, 6, 7]) assert.throws(() => reader(0, 0, 0).skip(wire), /wire type \d is not known/);
  });
});
