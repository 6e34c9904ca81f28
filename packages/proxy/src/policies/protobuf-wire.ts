// The protobuf wire format as far as external authorization needs it: varints, strings, bytes and messages
// (https://protobuf.dev/programming-guides/encoding/).

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** One field: bytes (also of strings and messages), or a number. */
export interface WireField {
  number: number;
  bytes: Buffer | null;
  value: number;
}

/** Writes a message field by field; what is empty or zero is left out, as proto3 has it. */
export class WireWriter {
  readonly #parts: Buffer[] = [];

  varint(number: number, value: number): this {
    if (value !== 0) this.#parts.push(encodeVarint(number * 8 + VARINT), encodeVarint(value));
    return this;
  }

  bytes(number: number, value: Buffer): this {
    if (value.length > 0) this.#parts.push(encodeVarint(number * 8 + BYTES), encodeVarint(value.length), value);
    return this;
  }

  text(number: number, value: string): this {
    return this.bytes(number, Buffer.from(value));
  }

  message(number: number, write: (inner: WireWriter) => void): this {
    const inner = new WireWriter();
    write(inner);
    const bytes = inner.finish();
    this.#parts.push(encodeVarint(number * 8 + BYTES), encodeVarint(bytes.length), bytes);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** The fields of a message in order, of every type but groups. Throws RangeError for what is none. */
export function readWire(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message.readUInt8(at++);
      // Ten bytes at most; beyond 2^53 the value is not exact, which nothing here needs.
      if (scale > 128 ** 9) throw new RangeError("varint too long");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (length > message.length - at) throw new RangeError("field beyond the end");
    return message.subarray(at, (at += length));
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === VARINT) fields.push({ number, bytes: null, value: varint() });
    else if (type === BYTES) fields.push({ number, bytes: take(varint()), value: 0 });
    else if (type === FIXED64 || type === FIXED32) take(type === FIXED64 ? 8 : 4);
    else throw new RangeError(`wire type ${type}`);
  }
  return fields;
}

/** Of several fields with one number the last counts; null when there is none. */
export function lastBytes(fields: WireField[], number: number): Buffer | null {
  return fields.findLast((field) => field.number === number)?.bytes ?? null;
}

export function lastValue(fields: WireField[], number: number): number {
  return fields.findLast((field) => field.number === number)?.value ?? 0;
}

export function allBytes(fields: WireField[], number: number): Buffer[] {
  return fields.filter((field) => field.number === number).map(({ bytes }) => bytes ?? Buffer.alloc(0));
}
