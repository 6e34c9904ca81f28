// Writes protobuf by hand, for tests.

/** What a field holds. */
export type Part = number | string | Buffer;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A message of fields [number, value]: numbers become varints, texts and messages chunks. */
export function message(...fields: [number, Part][]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === "number") return [varint(number << 3), varint(value)];
      const chunk = Buffer.from(value as string);
      return [varint((number << 3) | 2), varint(chunk.length), chunk];
    }),
  );
}

/** A whole request body. */
export const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from("k8s\0"), message([1, message([1, apiVersion], [2, kind])], [2, raw], [3, ""], [4, ""])]);
