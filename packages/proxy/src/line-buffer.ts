// Lines of an access log as bytes: written in place, because lines made of strings would cost more than reading the
// request does.

/** Grows with what is added; `bytes[0, used)` is what there is. */
export class LineBuffer {
  bytes: Buffer;
  used = 0;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.bytes = Buffer.allocUnsafe(size);
  }

  /** What there is, the caller's from then on. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.used);
    this.bytes = Buffer.allocUnsafe(this.#size);
    this.used = 0;
    return taken;
  }

  /** A copy of what was added since `used` was `start`. */
  since(start: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.bytes, start, this.used);
  }

  /** Makes room for that many more bytes: to be called before what follows is added. */
  reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.used + more, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }

  /** ASCII of our own. */
  addText(text: string): void {
    const { bytes } = this;
    let { used } = this;
    for (let at = 0; at < text.length; at++) bytes[used++] = text.charCodeAt(at);
    this.used = used;
  }

  /** What was made into bytes before, as `bytesOf` does: cheaper than text beyond a few characters. */
  addBytes(part: Uint8Array): void {
    this.bytes.set(part, this.used);
    this.used += part.length;
  }

  /** A whole number, not negative. */
  addNumber(value: number): void {
    if (value < 1000) this.#addSmall(value);
    else this.addText(String(value));
  }

  #addSmall(value: number): void {
    if (value >= 100) this.bytes[this.used++] = 48 + ((value / 100) | 0);
    if (value >= 10) this.bytes[this.used++] = 48 + (((value / 10) | 0) % 10);
    this.bytes[this.used++] = 48 + (value % 10);
  }

  /** Latin-1 that a client sent, as UTF-8: control characters and quotes are escaped, so that no request can write a line of its own.
   * A character takes four bytes at most. */
  addEscaped(text: string): void {
    const { bytes } = this;
    let { used } = this;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x20 && code < 0x7f && code !== QUOTE && code !== BACKSLASH) bytes[used++] = code;
      else used = addUnusual(bytes, used, code);
    }
    this.used = used;
  }

  /** Any text, as UTF-8. */
  addUtf8(text: string): void {
    this.reserve(text.length * 3);
    this.used += this.bytes.write(text, this.used);
  }
}

/** ASCII text as bytes, to be kept. */
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Returns the position behind what was written. */
function addUnusual(bytes: Buffer, at: number, code: number): number {
  if (code >= 0xa0) {
    bytes[at] = 0xc0 | (code >> 6);
    bytes[at + 1] = 0x80 | (code & 0x3f);
    return at + 2;
  }
  bytes[at] = BACKSLASH;
  if (code === QUOTE || code === BACKSLASH) {
    bytes[at + 1] = code;
    return at + 2;
  }
  bytes.write(`x${code.toString(16).padStart(2, "0")}`, at + 1, "latin1");
  return at + 4;
}
