// Response heads from backends: status line, field lines, framing (RFC 9112 sections 4 and 6.3). A refused head is a 502.

import { latin1 } from "../io/latin1.ts";
import { FieldLines, Framing, INCOMPLETE, listMembers, parseContentLength, REFUSED } from "./field-lines.ts";
import type { Refusal } from "./field-lines.ts";
import { KnownBytes } from "./known-bytes.ts";
import type { Known } from "./known-bytes.ts";
import { CR, FIELD_VALUE, FieldId, LF, SPACE } from "./tokens.ts";

const refusal = (reason: string): Refusal => ({ status: 502, reason });
const BAD_STATUS_LINE = refusal("backend-status-line-invalid");
const HEAD_TOO_LONG = refusal("backend-head-too-long");
const LENGTH_INVALID = refusal("backend-content-length-invalid");
const LENGTH_REPEATED = refusal("backend-content-length-repeated");
const CODING_UNKNOWN = refusal("backend-transfer-encoding-unknown");

const STATUS_LINE = "HTTP/1.";

/** Bodies follow: heads that differ mostly do within so many bytes. */
const HASHED_BYTES = 128;

/** Scratch for one response head. Valid until the next `parse`. */
export class ResponseHead extends FieldLines {
  status = 0;
  framing: number = Framing.none;
  contentLength = 0;
  /** Whether the backend keeps the connection after this message. */
  keepAlive = true;
  /** Milliseconds the backend announced to keep an idle connection (`Keep-Alive: timeout=`), 0 when it did not. */
  idleHint = 0;
  connectionOptions: string[] | null = null;
  /** A length beside a transfer coding: the coding rules, the length must not travel on (RFC 9112 section 6.1). */
  dropLength = false;

  /** This head, if it is among those that are kept. */
  known: KnownResponse | null = null;

  /** Parses bytes[start, end) as the answer to a request of method HEAD or not. */
  parse(bytes: Buffer, start: number, end: number, toHead: boolean, longest: number): number {
    this.known = null;
    // What a head says of the body is another thing after HEAD.
    if (toHead) return this.#read(bytes, start, end, toHead, longest);
    const known = responses.find(bytes, start, end);
    if (known !== null && known.length <= longest) {
      this.#recall(known);
      return start + known.length;
    }
    const after = this.#read(bytes, start, end, toHead, longest);
    if (after > 0 && responses.wants(after - start)) {
      this.known = new KnownResponse(after - start, this);
      responses.keep(bytes, start, this.known);
    }
    return after;
  }

  #recall(known: KnownResponse): void {
    this.known = known;
    this.recallLines(known);
    this.#recallMeaning(known);
  }

  #recallMeaning(other: ResponseHead): void {
    this.status = other.status;
    this.framing = other.framing;
    this.contentLength = other.contentLength;
    this.keepAlive = other.keepAlive;
    this.idleHint = other.idleHint;
    this.connectionOptions = other.connectionOptions;
    this.dropLength = other.dropLength;
    this.#minor = other.#minor;
    this.#phraseEnd = other.#phraseEnd;
    this.#close = other.#close;
  }

  /** Becomes a copy of `other`. */
  protected copy(other: ResponseHead): void {
    this.copyLines(other);
    this.#recallMeaning(other);
  }

  #read(bytes: Buffer, start: number, end: number, toHead: boolean, longest: number): number {
    let at = this.#parseStatusLine(bytes, start, end);
    if (at > 0) {
      at = this.parseFields(bytes, at, end, start);
      if (at === REFUSED) return this.refuse(refusal(`backend-${this.refusal!.reason}`));
    }
    if (at === INCOMPLETE) return end - start > longest ? this.refuse(HEAD_TOO_LONG) : INCOMPLETE;
    if (at === REFUSED) return at;
    if (at - start > longest) return this.refuse(HEAD_TOO_LONG);
    this.text = latin1(bytes, start, at);
    return this.#interpret(toHead) ? at : REFUSED;
  }

  /** Reason phrase as sent, possibly empty. */
  get phrase(): string {
    return this.text.slice(13, this.#phraseEnd);
  }

  /** The status line is `HTTP/1.1`, status, phrase, as one that goes to a client. */
  get plainStart(): boolean {
    return this.#phraseEnd > 12 && this.text.charCodeAt(7) === 49;
  }

  #minor = 1;
  #phraseEnd = 0;
  #close = false;

  #parseStatusLine(bytes: Buffer, start: number, end: number): number {
    for (let index = 0; index < STATUS_LINE.length && start + index < end; index++) {
      if (bytes[start + index] !== STATUS_LINE.charCodeAt(index)) return this.refuse(BAD_STATUS_LINE);
    }
    if (start + 13 > end) return INCOMPLETE;
    const minor = bytes[start + 7]! - 48;
    if (minor < 0 || minor > 9 || bytes[start + 8] !== SPACE) return this.refuse(BAD_STATUS_LINE);
    let status = 0;
    for (let index = 9; index < 12; index++) {
      const digit = bytes[start + index]! - 48;
      if (digit < 0 || digit > 9) return this.refuse(BAD_STATUS_LINE);
      status = status * 10 + digit;
    }
    if (status < 100) return this.refuse(BAD_STATUS_LINE);
    this.status = status;
    this.#minor = minor === 0 ? 0 : 1;
    let at = start + 12;
    if (bytes[at] === SPACE) while (at < end && FIELD_VALUE[bytes[at]!] !== 0) at++;
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return this.refuse(BAD_STATUS_LINE);
    this.#phraseEnd = at - start;
    return at + 2;
  }

  #interpret(toHead: boolean): boolean {
    this.framing = Framing.untilClose;
    this.contentLength = 0;
    this.keepAlive = this.#minor === 1;
    this.idleHint = 0;
    this.connectionOptions = null;
    this.dropLength = false;
    this.#close = false;
    let coding: string | null = null;
    for (let index = 0; index < this.count; index++) {
      switch (this.ids[index]) {
        case FieldId.other:
          break;
        case FieldId.contentLength:
          if (this.framing === Framing.length) return this.#fail(LENGTH_REPEATED);
          this.contentLength = parseContentLength(this.value(index));
          if (this.contentLength < 0) return this.#fail(LENGTH_INVALID);
          this.framing = Framing.length;
          break;
        case FieldId.transferEncoding:
          coding = coding === null ? this.value(index) : `${coding}, ${this.value(index)}`;
          break;
        case FieldId.connection:
          this.#interpretConnection(this.value(index));
          break;
        case FieldId.keepAlive: {
          const timeout = /timeout=(\d{1,6})/.exec(this.value(index));
          if (timeout !== null) this.idleHint = Number(timeout[1]) * 1000;
          break;
        }
      }
    }
    if (this.#close) this.keepAlive = false;
    return this.#interpretFraming(coding, toHead);
  }

  /** RFC 9112 section 6.3, in its order. */
  #interpretFraming(coding: string | null, toHead: boolean): boolean {
    if (toHead || this.status < 200 || this.status === 204 || this.status === 304) {
      // A body is announced where none can be: it might come all the same, and be taken for the next answer.
      if (this.status === 204 && (coding !== null || this.contentLength > 0)) this.keepAlive = false;
      this.framing = Framing.none;
      return true;
    }
    if (coding === null) return true;
    // Empty list members included: not everybody reads over them.
    if (coding.toLowerCase() !== "chunked") return this.#fail(CODING_UNKNOWN);
    if (this.framing === Framing.length) this.dropLength = true;
    // RFC 9112 section 6.1: the framing is not to be trusted further than this message.
    if (this.dropLength || this.#minor === 0) this.keepAlive = false;
    this.framing = Framing.chunked;
    return true;
  }

  #interpretConnection(value: string): void {
    if (value === "keep-alive" && this.#minor === 1) return;
    for (const option of listMembers(value)) {
      if (option === "close") this.#close = true;
      else if (option === "keep-alive") this.keepAlive = true;
      else if (option !== "upgrade") (this.connectionOptions ??= []).push(option);
    }
  }

  #fail(why: Refusal): false {
    this.refusal = why;
    return false;
  }
}

/** A head that comes again and again. */
export class KnownResponse extends ResponseHead implements Known {
  readonly length: number;
  /** Of head-writer.ts: as it goes to a client whose connection is kept, empty until it was asked for. */
  passedOn = "";

  constructor(length: number, head: ResponseHead) {
    super();
    this.length = length;
    this.copy(head);
  }
}

const responses = new KnownBytes<KnownResponse>(HASHED_BYTES);
