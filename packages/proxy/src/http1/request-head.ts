// Request heads: start line, field lines and what they mean for framing and connection (RFC 9112 sections 3, 6 and 9).
// Everything ambiguous is refused, because two parties reading one message differently is how requests are smuggled.

import { latin1, latin1Copy } from "../io/latin1.ts";
import { Framing, INCOMPLETE, listMembers, parseContentLength, REFUSED } from "./field-lines.ts";
import type { Refusal } from "./field-lines.ts";
import type { Limits } from "../limits.ts";
import { splitTarget } from "../match/path.ts";
import type { MatchRequest } from "../match/route-conditions.ts";
import { KnownBytes } from "./known-bytes.ts";
import { knownHost } from "./known-hosts.ts";
import { KnownFields, RequestFields } from "./request-fields.ts";
import type { KnownRequest } from "./request-fields.ts";
import { CR, FieldId, LF, SPACE, TARGET, TOKEN } from "./tokens.ts";

const refusal = (status: number, reason: string): Refusal => ({ status, reason });
const BAD_METHOD = refusal(400, "method-invalid");
const METHOD_TOO_LONG = refusal(501, "method-unknown");
const BAD_TARGET = refusal(400, "request-target-invalid");
const LINE_TOO_LONG = refusal(414, "request-line-too-long");
const HEAD_TOO_LONG = refusal(431, "request-head-too-long");
const BAD_LINE = refusal(400, "request-line-invalid");
const BAD_VERSION = refusal(400, "http-version-invalid");
const UNSUPPORTED_VERSION = refusal(505, "http-version-unsupported");
/** Not a request but the first line of HTTP/2's preface (RFC 9113 section 3.4). */
export const HTTP2_PREFACE: Refusal = refusal(505, "http-version-unsupported");
const EMPTY_LINES = refusal(400, "empty-lines-before-request");
const CONNECT = refusal(501, "connect-not-supported");
const NO_HOST = refusal(400, "host-missing");
const SEVERAL_HOSTS = refusal(400, "host-repeated");
const BAD_HOST = refusal(400, "host-invalid");
const LENGTH_INVALID = refusal(400, "content-length-invalid");
const LENGTH_REPEATED = refusal(400, "content-length-repeated");
const LENGTH_AND_CODING = refusal(400, "content-length-with-transfer-encoding");
const CODING_UNKNOWN = refusal(501, "transfer-encoding-unknown");
const CODING_INVALID = refusal(400, "transfer-encoding-invalid");
const CODING_IN_HTTP10 = refusal(400, "transfer-encoding-in-http-1.0");
const EXPECTATION = refusal(417, "expectation-unknown");

const LONGEST_METHOD = 32;
const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i;

const requests = new KnownBytes<KnownRequest>();
const requestFields = new KnownBytes<KnownFields>();

/** Scratch for one request head. Valid until the next `parse`. */
export class RequestHead extends RequestFields implements MatchRequest {
  method = "";
  /** Request target in origin-form (`/path?query`) or `*`. */
  target = "";
  /** Of `target`; the query with its `?`, empty when absent. */
  path = "";
  query = "";
  /** Method and target as sent. */
  startText = "";
  /** 0 or 1. */
  minor = 1;
  /** As access records say it. */
  protocol = "HTTP/1.1";
  /** This head and its fields, when they are among those that are kept. */
  known: KnownRequest | null = null;
  knownFields: KnownFields | null = null;

  /** Parses bytes[start, end). Returns the position behind the head, INCOMPLETE or REFUSED (see `refusal`). */
  parse(bytes: Buffer, start: number, end: number, limits: Limits): number {
    let at = start;
    // RFC 9112 section 2.2: one empty line before the request line is ignored.
    if (bytes[at] === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (bytes[at + 1] !== LF) return this.refuse(BAD_LINE);
      at += 2;
      if (at < end && bytes[at] === CR) return this.refuse(EMPTY_LINES);
    }
    const known = requests.find(bytes, at, end);
    if (known !== null && known.startText.length <= limits.requestLineBytes && known.length <= limits.headBytes) {
      this.#recallRequest(known);
      return at + known.length;
    }
    const after = this.#read(bytes, at, end, limits);
    if (after > 0 && this.knownFields !== null && requests.wants(after - at)) {
      this.known = this.#kept(after - at, this.knownFields);
      requests.keep(bytes, at, this.known);
    }
    return after;
  }

  #recallRequest(known: KnownRequest): void {
    this.known = known;
    this.knownFields = known.fields;
    this.recall(known.fields);
    this.startText = known.startText;
    this.method = known.method;
    this.target = known.target;
    this.path = known.path;
    this.query = known.query;
    this.host = known.host;
    this.bareHost = known.bareHost;
    this.minor = 1;
    this.protocol = "HTTP/1.1";
  }

  #kept(length: number, fields: KnownFields): KnownRequest {
    const { startText, method, host, bareHost } = this;
    const target = latin1Copy(this.target);
    const memory = { routed: null, sent: null, forwarded: null };
    const start = { startText: latin1Copy(startText), method: latin1Copy(method), target };
    return { length, ...start, ...splitTarget(target), host, bareHost, fields, memory };
  }

  #read(bytes: Buffer, base: number, end: number, limits: Limits): number {
    this.known = null;
    let at = this.#parseStartLine(bytes, base, end, limits.requestLineBytes);
    if (at <= 0) return at;
    const fieldsStart = at;
    at = this.#recallFields(bytes, fieldsStart, end);
    if (at === INCOMPLETE) {
      at = this.parseFields(bytes, fieldsStart, end, fieldsStart);
      if (at === INCOMPLETE && end - base > limits.headBytes) return this.refuse(HEAD_TOO_LONG);
      if (at <= 0) return at;
    }
    if (at - base > limits.headBytes) return this.refuse(HEAD_TOO_LONG);
    if (this.knownFields === null && !this.#readFields(bytes, fieldsStart, at)) return REFUSED;
    this.#useStartLine(latin1(bytes, base, base + this.#targetEnd));
    return this.#interpretTarget() ? at : REFUSED;
  }

  #methodLength = 0;
  #targetEnd = 0;

  #parseStartLine(bytes: Buffer, base: number, end: number, longest: number): number {
    let at = base;
    while (at < end && TOKEN[bytes[at]!] !== 0) at++;
    if (at - base > LONGEST_METHOD) return this.refuse(METHOD_TOO_LONG);
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === base) return this.refuse(BAD_METHOD);
    this.#methodLength = at - base;
    const targetStart = ++at;
    while (at < end && TARGET[bytes[at]!] !== 0) at++;
    if (at - base > longest) return this.refuse(LINE_TOO_LONG);
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === targetStart) return this.refuse(BAD_TARGET);
    this.#targetEnd = at - base;
    return this.#parseVersion(bytes, at + 1, end);
  }

  #useStartLine(text: string): void {
    this.startText = text;
    this.method = this.#isGet() ? "GET" : text.slice(0, this.#methodLength);
    this.#useTarget(text.slice(this.#methodLength + 1));
    this.protocol = this.minor === 1 ? "HTTP/1.1" : "HTTP/1.0";
  }

  /** The method of most requests need not be cut out and compared as text. */
  #isGet(): boolean {
    const { startText: text } = this;
    const three = this.#methodLength === 3;
    return three && text.charCodeAt(0) === 71 && text.charCodeAt(1) === 69 && text.charCodeAt(2) === 84;
  }

  #useTarget(target: string): void {
    const { path, query } = splitTarget(target);
    this.target = target;
    this.path = path;
    this.query = query;
  }

  /** Returns the position behind fields that are known, INCOMPLETE when they are not. */
  #recallFields(bytes: Buffer, start: number, end: number): number {
    this.knownFields = null;
    // What the fields of other versions say differs.
    if (this.minor !== 1) return INCOMPLETE;
    const known = requestFields.find(bytes, start, end);
    if (known === null) return INCOMPLETE;
    this.knownFields = known;
    this.recall(known);
    return start + known.length;
  }

  /** Reads the fields in bytes[start, after) whose lines are parsed. False: refused. */
  #readFields(bytes: Buffer, start: number, after: number): boolean {
    this.text = latin1(bytes, start, after);
    if (!this.#interpret()) return false;
    if (this.minor !== 1) return true;
    if (!requestFields.wants(after - start)) return true;
    this.knownFields = new KnownFields(after - start, this);
    requestFields.keep(bytes, start, this.knownFields);
    return true;
  }

  #parseVersion(bytes: Buffer, at: number, end: number): number {
    for (let index = 0; index < 8 && at + index < end; index++) {
      const byte = bytes[at + index]!;
      const digit = index === 5 || index === 7;
      const fits = digit ? byte >= 48 && byte <= 57 : byte === "HTTP/1.1".charCodeAt(index);
      if (!fits) return this.refuse(BAD_VERSION);
    }
    if (at + 10 > end) return INCOMPLETE;
    if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return this.refuse(BAD_LINE);
    if (bytes[at + 5] !== 49) {
      const mayBePreface = this.#methodLength === 3 && this.#targetEnd === 5;
      const preface = mayBePreface && bytes.toString("latin1", at - 6, at + 8) === "PRI * HTTP/2.0";
      return this.refuse(preface ? HTTP2_PREFACE : UNSUPPORTED_VERSION);
    }
    this.minor = bytes[at + 7] === 48 ? 0 : 1;
    return at + 10;
  }

  #reset(): void {
    this.host = "";
    this.bareHost = "";
    this.hosts = 0;
    this.framing = Framing.none;
    this.contentLength = 0;
    this.keepAlive = this.minor === 1;
    this.expectContinue = false;
    this.upgrade = "";
    this.connectionOptions = null;
    this.acceptsTrailers = false;
    this.userAgent = "";
    this.referer = "";
  }

  /** Meaning of the known fields. False: refused. */
  #interpret(): boolean {
    this.#reset();
    let coding = "";
    let hasCoding = false;
    let upgrade = "";
    let connection: string | null = null;
    for (let index = 0; index < this.count; index++) {
      switch (this.ids[index]) {
        case FieldId.other:
          break;
        case FieldId.host:
          if (this.hosts++ > 0) return this.#fail(SEVERAL_HOSTS);
          if (!this.#useHost(this.text, this.valueStart(index), this.valueEnd(index))) return this.#fail(BAD_HOST);
          break;
        case FieldId.contentLength:
          if (this.framing === Framing.length) return this.#fail(LENGTH_REPEATED);
          this.contentLength = parseContentLength(this.value(index));
          if (this.contentLength < 0) return this.#fail(LENGTH_INVALID);
          this.framing = Framing.length;
          break;
        case FieldId.transferEncoding:
          // Allowed, but to llhttp it is another coding, with which a request for an upgrade has no body.
          if (this.hasBlankEnd(index)) return this.#fail(CODING_INVALID);
          coding = hasCoding ? `${coding}, ${this.value(index)}` : this.value(index);
          hasCoding = true;
          break;
        case FieldId.connection:
          connection = connection === null ? this.value(index) : `${connection},${this.value(index)}`;
          break;
        case FieldId.upgrade:
          upgrade = upgrade === "" ? this.value(index) : `${upgrade}, ${this.value(index)}`;
          break;
        case FieldId.te:
          if (listMembers(this.value(index)).some((member) => /^trailers\b/.test(member))) this.acceptsTrailers = true;
          break;
        case FieldId.userAgent:
          this.userAgent = this.value(index);
          break;
        case FieldId.referer:
          this.referer = this.value(index);
          break;
        case FieldId.expect:
          if (this.value(index).toLowerCase() !== "100-continue") return this.#fail(EXPECTATION);
          this.expectContinue = this.minor === 1;
          break;
      }
    }
    if (hasCoding && !this.#interpretCoding(coding)) return false;
    if (connection !== null) this.#interpretConnection(connection, upgrade);
    return true;
  }

  /** RFC 9112 section 6: only `chunked`, only in HTTP/1.1, never together with Content-Length. */
  #interpretCoding(coding: string): boolean {
    if (this.minor === 0) return this.#fail(CODING_IN_HTTP10);
    if (this.framing === Framing.length) return this.#fail(LENGTH_AND_CODING);
    if (coding.toLowerCase() !== "chunked") {
      // Empty members are refused too: not everybody reads over them.
      const unknown = listMembers(coding).some((member) => member !== "chunked");
      return this.#fail(unknown ? CODING_UNKNOWN : CODING_INVALID);
    }
    this.framing = Framing.chunked;
    return true;
  }

  #interpretConnection(connection: string, upgrade: string): void {
    if (connection === "keep-alive" && this.minor === 1) return;
    if (connection === "close") {
      this.keepAlive = false;
      return;
    }
    let close = false;
    for (const option of listMembers(connection)) {
      if (option === "close") close = true;
      else if (option === "keep-alive") this.keepAlive = true;
      else if (option === "upgrade") this.upgrade = this.minor === 1 ? upgrade : "";
      else if (option !== "te") (this.connectionOptions ??= []).push(option);
    }
    if (close) this.keepAlive = false;
  }

  #interpretTarget(): boolean {
    if (this.method === "CONNECT") return this.#fail(CONNECT);
    if (this.hosts === 0 && this.minor === 1) return this.#fail(NO_HOST);
    if (this.target.charCodeAt(0) !== 47) {
      if (this.target === "*") {
        if (this.method !== "OPTIONS") return this.#fail(BAD_TARGET);
      } else {
        const why = this.#interpretAbsolute();
        if (why !== null) return this.#fail(why);
      }
    }
    return true;
  }

  header(lowerName: string): string | undefined {
    return this.get(lowerName);
  }

  /** RFC 9112 section 3.2.2: the host of the URI replaces the Host field. */
  #interpretAbsolute(): Refusal | null {
    const parts = ABSOLUTE.exec(this.target);
    if (parts === null || parts[1] === "") return BAD_TARGET;
    if (!this.#useHost(parts[1]!, 0, parts[1]!.length)) return BAD_HOST;
    const rest = parts[2]!;
    if (rest === "") this.#useTarget(this.method === "OPTIONS" ? "*" : "/");
    else this.#useTarget(rest.charCodeAt(0) === 47 ? rest : `/${rest}`);
    return null;
  }

  /** False: text[start, end) is no host. */
  #useHost(text: string, start: number, end: number): boolean {
    const known = knownHost(text, start, end);
    if (known === null) return false;
    this.host = known.text;
    this.bareHost = known.bare;
    return true;
  }

  #fail(why: Refusal): false {
    this.refusal = why;
    return false;
  }
}
