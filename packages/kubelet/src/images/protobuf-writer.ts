// As much of protobuf's encoding as small answers need: length-delimited fields (protobuf.dev/programming-guides/encoding).

/** A base-128 varint of a non-negative integer below 2^53. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest % 128) | 128);
  }
}

/** A field of wire type 2: a string, bytes, or a message already encoded. Empty strings are left out, as proto3 does. */
export function field(number: number, value: string | Buffer): Buffer {
  if (value === "") return Buffer.alloc(0);
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** The message of these fields. */
export function message(...fields: Buffer[]): Buffer {
  return Buffer.concat(fields);
}
