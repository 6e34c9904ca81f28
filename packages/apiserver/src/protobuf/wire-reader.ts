// The protobuf wire format (https://protobuf.dev/programming-guides/encoding): tags, varints, 64-bit floats, length-delimited chunks.
// Every read moves forward or throws, so the work is bounded by the size of the input.

import { isUtf8 } from "node:buffer";

/** The bytes are no message of the expected type. The message is half a sentence. */
export class MalformedProtobuf extends Error {}

/** How the value after a tag is written. */
export const wireTypes = { varint: 0, fixed64: 1, chunk: 2, fixed32: 5 } as const;

/** Reads one message from front to back. All methods throw MalformedProtobuf. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The number and wire type of the next field. */
  tag(): { number: number; wire: number } {
    const tag = this.uint32();
    const number = tag >>> 3;
    if (number === 0) throw new MalformedProtobuf("a field has the number 0");
    return { number, wire: tag & 7 };
  }

  /** An unsigned varint of at most 32 bits. */
  uint32(): number {
    const value = this.#varint();
    if (value > 0xffff_ffffn) throw new MalformedProtobuf("a tag or length exceeds 32 bits");
    return Number(value);
  }

  /** A signed 64-bit varint; beyond 2^53 it is rounded, as JSON numbers are. */
  int64(): number {
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  double(): number {
    return this.#take(8).readDoubleLE();
  }

  /** A length and as many bytes: a view, not a copy. */
  chunk(): Buffer {
    return this.#take(this.uint32());
  }

  text(): string {
    const chunk = this.chunk();
    if (!isUtf8(chunk)) throw new MalformedProtobuf("a string is not valid UTF-8");
    return chunk.toString("utf8");
  }

  /** Passes over a value. Groups, which Kubernetes does not use, are refused. */
  skip(wire: number): void {
    if (wire === wireTypes.varint) this.#varint();
    else if (wire === wireTypes.fixed64) this.#take(8);
    else if (wire === wireTypes.chunk) this.chunk();
    else if (wire === wireTypes.fixed32) this.#take(4);
    else throw new MalformedProtobuf(`wire type ${wire} is not known`);
  }

  #varint(): bigint {
    // Nearly all varints are tags and lengths of one or two bytes: no big numbers for them.
    let small = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      small |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(small);
    }
    let value = BigInt(small);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedProtobuf("a number is longer than ten bytes");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new MalformedProtobuf("it ends in the middle of a value");
    return byte;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new MalformedProtobuf("it ends in the middle of a value");
    const chunk = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return chunk;
  }
}
