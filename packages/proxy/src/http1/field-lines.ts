// The field lines of a message head or trailer section as byte offsets, never as an object: parsed strictly in one pass
// (RFC 9112 section 5), used synchronously, then overwritten by the next message.

import { COLON, CR, FIELD_VALUE, fieldId, hashStep, LF, SPACE, TAB, TOKEN } from "./tokens.ts";

/** More lines than this are refused (431). */
const MAX_FIELDS = 256;

/** Why a message was refused: the status to answer with and a short machine-readable reason for logs. */
export interface Refusal {
  status: number;
  reason: string;
}

export const INCOMPLETE = 0;
export const REFUSED = -1;

const refusal = (status: number, reason: string): Refusal => ({ status, reason });
const EMPTY_NAME = refusal(400, "field-name-empty");
const SPACE_BEFORE_COLON = refusal(400, "whitespace-before-colon");
const FOLDED = refusal(400, "obsolete-line-folding");
const BAD_NAME = refusal(400, "field-name-invalid");
const BAD_VALUE = refusal(400, "field-value-invalid");
const BARE_LF = refusal(400, "bare-lf");
const BARE_CR = refusal(400, "bare-cr");
const TOO_MANY = refusal(431, "too-many-fields");

/** Offsets per line: name start, name end, value start, value end, line end (behind CRLF). */
const STRIDE = 5;
const NO_SPANS = new Int32Array();
const NO_IDS = new Uint8Array();

export class FieldLines {
  /** Latin-1 text the offsets point into. */
  text = "";
  count = 0;
  spans: Int32Array = NO_SPANS;
  ids: Uint8Array = NO_IDS;
  /** Room to read into, which what is only a copy does not need. */
  #ownSpans: Int32Array | null = null;
  #ownIds: Uint8Array | null = null;
  /** Where the lines begin. */
  #start = 0;
  /** Set when parsing returned REFUSED. */
  refusal: Refusal | null = null;

  /** Parses lines from bytes[position] to the empty line. Returns the position behind it, INCOMPLETE or REFUSED.
   * Offsets are stored relative to `base`. */
  parseFields(bytes: Uint8Array, position: number, end: number, base: number): number {
    this.count = 0;
    this.spans = this.#ownSpans ??= new Int32Array(MAX_FIELDS * STRIDE);
    this.ids = this.#ownIds ??= new Uint8Array(MAX_FIELDS);
    this.#start = position - base;
    let at = position;
    for (;;) {
      if (at >= end) return INCOMPLETE;
      if (bytes[at] === CR) return this.#endOfSection(bytes, at, end);
      if (this.count === MAX_FIELDS) return this.refuse(TOO_MANY);
      at = this.#parseLine(bytes, at, end, base);
      if (at <= 0) return at;
    }
  }

  #endOfSection(bytes: Uint8Array, at: number, end: number): number {
    if (at + 1 >= end) return INCOMPLETE;
    return bytes[at + 1] === LF ? at + 2 : this.refuse(BARE_CR);
  }

  #parseLine(bytes: Uint8Array, nameStart: number, end: number, base: number): number {
    let at = nameStart;
    let hash = 0;
    let lower: number;
    while (at < end && (lower = TOKEN[bytes[at]!]!) !== 0) {
      hash = hashStep(hash, lower);
      at++;
    }
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== COLON || at === nameStart) return this.refuse(badName(bytes, nameStart, at));
    const nameEnd = at++;
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++;
    const valueStart = at;
    while (at < end && FIELD_VALUE[bytes[at]!] !== 0) at++;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== CR) return this.refuse(bytes[at] === LF ? BARE_LF : BAD_VALUE);
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LF) return this.refuse(BARE_CR);
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;
    const span = this.count * STRIDE;
    const spans = this.spans;
    spans[span] = nameStart - base;
    spans[span + 1] = nameEnd - base;
    spans[span + 2] = valueStart - base;
    spans[span + 3] = valueEnd - base;
    spans[span + 4] = at + 2 - base;
    this.ids[this.count++] = fieldId(bytes, nameStart, nameEnd, hash);
    return at + 2;
  }

  /** Takes over the lines of `other`, which is to be kept: they must not be read over. */
  recallLines(other: FieldLines): void {
    this.text = other.text;
    this.count = other.count;
    this.spans = other.spans;
    this.ids = other.ids;
    this.#start = other.#start;
  }

  /** Becomes a copy of the lines of `other` as they are now. */
  copyLines(other: FieldLines): void {
    this.recallLines(other);
    this.spans = other.spans.slice(0, other.count * STRIDE);
    this.ids = other.ids.slice(0, other.count);
  }

  refuse(why: Refusal): number {
    this.refusal = why;
    return REFUSED;
  }

  lineStart(index: number): number {
    return this.spans[index * STRIDE]!;
  }

  /** Behind the last line. */
  get end(): number {
    return this.count === 0 ? this.#start : this.lineEnd(this.count - 1);
  }

  nameEnd(index: number): number {
    return this.spans[index * STRIDE + 1]!;
  }

  valueStart(index: number): number {
    return this.spans[index * STRIDE + 2]!;
  }

  valueEnd(index: number): number {
    return this.spans[index * STRIDE + 3]!;
  }

  lineEnd(index: number): number {
    return this.spans[index * STRIDE + 4]!;
  }

  /** Blanks come between the value and the line's end. */
  hasBlankEnd(index: number): boolean {
    return this.spans[index * STRIDE + 3] !== this.lineEnd(index) - 2;
  }

  /** One space comes before the value, nothing behind it. */
  isPlain(index: number): boolean {
    const blank = this.text.charCodeAt(this.valueStart(index) - 1) === SPACE;
    return blank && this.valueStart(index) - this.nameEnd(index) === 2 && !this.hasBlankEnd(index);
  }

  /** Field name as sent. */
  name(index: number): string {
    return this.text.slice(this.spans[index * STRIDE], this.spans[index * STRIDE + 1]);
  }

  /** Field value without surrounding whitespace. */
  value(index: number): string {
    return this.text.slice(this.spans[index * STRIDE + 2], this.spans[index * STRIDE + 3]);
  }

  /** The combined value of every line with this lower-case name (RFC 9110 section 5.3), undefined when there is none. */
  get(lowerName: string): string | undefined {
    let combined: string | undefined;
    for (let index = 0; index < this.count; index++) {
      const span = index * STRIDE;
      if (this.spans[span + 1]! - this.spans[span]! !== lowerName.length) continue;
      if (this.name(index).toLowerCase() !== lowerName) continue;
      const value = this.value(index);
      combined = combined === undefined ? value : `${combined}, ${value}`;
    }
    return combined;
  }

  /** The combined value of every line with this id. */
  getById(id: number): string | undefined {
    let combined: string | undefined;
    for (let index = 0; index < this.count; index++) {
      if (this.ids[index] !== id) continue;
      const value = this.value(index);
      combined = combined === undefined ? value : `${combined}, ${value}`;
    }
    return combined;
  }
}

function badName(bytes: Uint8Array, nameStart: number, at: number): Refusal {
  const byte = bytes[at]!;
  const blank = byte === SPACE || byte === TAB;
  if (at === nameStart) return blank ? FOLDED : byte === COLON ? EMPTY_NAME : byte === LF ? BARE_LF : BAD_NAME;
  return blank ? SPACE_BEFORE_COLON : BAD_NAME;
}

/** Blanks around a list's members: not what `trim` takes, to which a no-break space is one. */
const BLANKS = /^[ \t]+|[ \t]+$/g;

/** Lower-case members of a comma-separated list value, empty members dropped (RFC 9110 section 5.6.1). */
export function listMembers(value: string): string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((member) => member.replace(BLANKS, ""))
    .filter((member) => member !== "");
}

/** Parses a Content-Length value: digits only, at most 2^53-1. Returns -1 for anything else. */
export function parseContentLength(value: string): number {
  if (value.length === 0 || value.length > 16) return -1;
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return Number.isSafeInteger(length) ? length : -1;
}

/** How a body's end is found. */
export const Framing = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
