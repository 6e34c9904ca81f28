// Decodes the chunked transfer coding (RFC 9112 section 7.1) strictly and incrementally: data leaves as ranges of the
// bytes that came in, chunk extensions are dropped, trailer fields are kept for forwarding where that is safe.

import { FieldLines, INCOMPLETE, REFUSED } from "./field-lines.ts";
import type { Refusal } from "./field-lines.ts";
import { CR, FIELD_VALUE, FieldId, HEX, LF, SEMICOLON, SPACE, TAB, TOKEN } from "./tokens.ts";

/** Takes body data: valid until it returns. */
export interface BodySink {
  onBody(bytes: Buffer, start: number, end: number): void;
}

const refusal = (reason: string): Refusal => ({ status: 400, reason });
const BAD_SIZE = refusal("chunk-size-invalid");
const BAD_EXTENSION = refusal("chunk-extension-invalid");
const BAD_DATA_END = refusal("chunk-data-not-terminated");
const TRAILERS_TOO_LONG = refusal("trailers-too-long");

const State = {
  size: 0,
  sizeDigits: 1,
  blank: 2,
  extensionName: 3,
  extension: 4,
  sizeLf: 5,
  data: 6,
  dataCr: 7,
  dataLf: 8,
  trailers: 9,
  done: 10,
  refused: 11,
} as const;

/** 2^48: more would not be a size but an attack on somebody's integer. */
const LONGEST_SIZE = 12;
const LONGEST_EXTENSION = 1024;
const LONGEST_TRAILERS = 16 * 1024;

/** Fields that must not arrive in trailers because they frame, route or authenticate (RFC 9110 section 6.5.1); every
 * field the proxy itself acts on is one of them too. */
const NOT_IN_TRAILERS = new Set(
  "authorization,cookie,set-cookie,content-encoding,content-range,content-type,cache-control,proxy-authorization".split(
    ",",
  ),
);

/** The lines of a trailer section that may travel on, each with its CRLF. */
export function forwardableTrailers(fields: FieldLines): string {
  let kept = "";
  for (let index = 0; index < fields.count; index++) {
    if (fields.ids[index] !== FieldId.other || NOT_IN_TRAILERS.has(fields.name(index).toLowerCase())) continue;
    kept += fields.text.slice(fields.lineStart(index), fields.lineEnd(index));
  }
  return kept;
}

const scratch = new FieldLines();

export class ChunkedDecoder {
  /** Trailer lines fit to forward, each with its CRLF. */
  trailers = "";
  refusal: Refusal | null = null;
  #state: number = State.size;
  #remaining = 0;
  #digits = 0;
  #extension = 0;
  #partial: Buffer | null = null;

  get done(): boolean {
    return this.#state === State.done;
  }

  /** Decodes bytes[start, end). Returns the position behind what was consumed: `end`, or earlier once `done`;
   * -1 when refused. */
  decode(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    let at = start;
    while (at < end && this.#state !== State.done) {
      if (this.#state === State.data) {
        const stop = Math.min(end, at + this.#remaining);
        this.#remaining -= stop - at;
        if (this.#remaining === 0) this.#state = State.dataCr;
        sink.onBody(bytes, at, stop);
        at = stop;
      } else if (this.#state === State.trailers) {
        at = this.#decodeTrailers(bytes, at, end);
      } else {
        this.#step(bytes[at++]!);
      }
      if (this.#state === State.refused) return REFUSED;
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case State.size:
      case State.sizeDigits:
        return this.#stepSize(byte);
      case State.blank:
        // RFC 9112 section 7.1.1: bad whitespace is allowed before an extension only.
        if (byte === SEMICOLON) this.#state = State.extensionName;
        else if (byte !== SPACE && byte !== TAB) this.#refuse(BAD_SIZE);
        else if (++this.#extension > LONGEST_EXTENSION) this.#refuse(BAD_EXTENSION);
        return;
      case State.extensionName:
        if (TOKEN[byte] !== 0) this.#state = State.extension;
        else if (byte !== SPACE && byte !== TAB) return this.#refuse(BAD_EXTENSION);
        if (++this.#extension > LONGEST_EXTENSION) this.#refuse(BAD_EXTENSION);
        return;
      case State.extension:
        if (byte === CR) this.#state = State.sizeLf;
        else if (FIELD_VALUE[byte] === 0 || ++this.#extension > LONGEST_EXTENSION) this.#refuse(BAD_EXTENSION);
        return;
      case State.sizeLf:
        if (byte !== LF) return this.#refuse(BAD_SIZE);
        this.#state = this.#remaining === 0 ? State.trailers : State.data;
        return;
      case State.dataCr:
        if (byte !== CR) return this.#refuse(BAD_DATA_END);
        this.#state = State.dataLf;
        return;
      case State.dataLf:
        if (byte !== LF) return this.#refuse(BAD_DATA_END);
        this.#state = State.size;
    }
  }

  #stepSize(byte: number): void {
    const digit = HEX[byte]! - 1;
    if (digit >= 0) {
      if (this.#state === State.size) {
        this.#remaining = 0;
        this.#digits = 0;
        this.#extension = 0;
        this.#state = State.sizeDigits;
      }
      if (++this.#digits > LONGEST_SIZE) return this.#refuse(BAD_SIZE);
      this.#remaining = this.#remaining * 16 + digit;
      return;
    }
    if (this.#state === State.size) return this.#refuse(BAD_SIZE);
    if (byte === CR) this.#state = State.sizeLf;
    else if (byte === SEMICOLON) this.#state = State.extensionName;
    else if (byte === SPACE || byte === TAB) this.#state = State.blank;
    else this.#refuse(BAD_SIZE);
  }

  #decodeTrailers(bytes: Buffer, start: number, end: number): number {
    const before = this.#partial?.length ?? 0;
    const all = this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes.subarray(start, end)]);
    const from = this.#partial === null ? start : 0;
    const stop = this.#partial === null ? end : all.length;
    const at = scratch.parseFields(all, from, stop, from);
    if (at === REFUSED) {
      this.#refuse(scratch.refusal!);
      return at;
    }
    if (at === INCOMPLETE || at - from > LONGEST_TRAILERS) {
      if (stop - from > LONGEST_TRAILERS) this.#refuse(TRAILERS_TOO_LONG);
      else this.#partial = Buffer.from(all.subarray(from, stop));
      return end;
    }
    scratch.text = scratch.count === 0 ? "" : all.toString("latin1", from, at);
    this.trailers = forwardableTrailers(scratch);
    this.#partial = null;
    this.#state = State.done;
    return start + (at - from) - before;
  }

  #refuse(why: Refusal): void {
    this.#state = State.refused;
    this.refusal = why;
  }
}
