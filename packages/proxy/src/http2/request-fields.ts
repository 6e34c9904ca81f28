// A request's header list (RFC 9113 section 8.3) brought into the form of an HTTP/1.1 head and read by the one strict parser
// there is, so that a request means the same however it came.

import { Framing, REFUSED } from "../http1/field-lines.ts";
import type { Refusal } from "../http1/field-lines.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { FieldId } from "../http1/tokens.ts";
import type { Limits } from "../limits.ts";

const refusal = (status: number, reason: string): Refusal => ({ status, reason });
const HEAD_TOO_LONG = refusal(431, "request-head-too-long");
const PSEUDO_UNKNOWN = refusal(400, "pseudo-header-unknown");
const PSEUDO_REPEATED = refusal(400, "pseudo-header-repeated");
const PSEUDO_MISSING = refusal(400, "pseudo-header-missing");
const PSEUDO_LATE = refusal(400, "pseudo-header-after-field");
const BAD_SCHEME = refusal(400, "scheme-invalid");
const BAD_TARGET = refusal(400, "request-target-invalid");
const BAD_METHOD = refusal(400, "method-invalid");
const BAD_NAME = refusal(400, "field-name-invalid");
const BAD_VALUE = refusal(400, "field-value-invalid");
const OTHER_HOST = refusal(400, "host-differs-from-authority");
const SEVERAL_HOSTS = refusal(400, "host-repeated");
const CONNECTION_FIELD = refusal(400, "connection-specific-field");
const BAD_TE = refusal(400, "te-invalid");
const LENGTH_WITHOUT_BODY = refusal(400, "content-length-without-body");

/** Fields that say something about one HTTP/1.1 connection (RFC 9113 section 8.2.2). */
const CONNECTION_SPECIFIC = new Uint8Array(32);
for (const id of [
  FieldId.connection,
  FieldId.transferEncoding,
  FieldId.upgrade,
  FieldId.keepAlive,
  FieldId.proxyConnection,
  FieldId.http2Settings,
]) {
  CONNECTION_SPECIFIC[id] = 1;
}

let bytes: Buffer = Buffer.allocUnsafeSlow(4096);

/** Reads names and values in turns, as received, into `head`. `ended`: no body follows. Returns why the request is refused. */
export function readRequestFields(
  head: RequestHead,
  fields: readonly string[],
  ended: boolean,
  limits: Limits,
): Refusal | null {
  const text = scratch.read(fields);
  if (typeof text !== "string") return text;
  if (text.length > limits.headBytes + limits.requestLineBytes) return HEAD_TOO_LONG;
  if (text.length > bytes.length) bytes = Buffer.allocUnsafeSlow(text.length * 2);
  bytes.write(text, "latin1");
  const after = head.parse(bytes, 0, text.length, limits);
  if (after === REFUSED) return head.refusal;
  // Whatever a value could do to the lines of the text, it cannot do it without changing their number or the end.
  if (after !== text.length || head.count !== scratch.lineCount) return BAD_VALUE;
  if (head.method !== scratch.method) return BAD_METHOD;
  head.protocol = "HTTP/2.0";
  return interpret(head, ended);
}

function interpret(head: RequestHead, ended: boolean): Refusal | null {
  for (let index = 0; index < head.count; index++) {
    const id = head.ids[index]!;
    if (CONNECTION_SPECIFIC[id] !== 0) return CONNECTION_FIELD;
    if (id === FieldId.te && head.value(index) !== "trailers") return BAD_TE;
  }
  if (ended) return head.contentLength > 0 ? LENGTH_WITHOUT_BODY : null;
  if (head.framing === Framing.none) head.framing = Framing.chunked;
  return null;
}

/** Takes a header list apart. One for all: used synchronously, one request at a time. */
class HeaderList {
  /** Field lines of the text that `read` returned. */
  lineCount = 0;
  method = "";
  #path = "";
  #scheme = "";
  #authority = "";
  #host = "";
  #lines = "";
  #cookie = "";
  #seen = 0;

  /** The text of an HTTP/1.1 head, or why there is none. */
  read(fields: readonly string[]): string | Refusal {
    this.method = this.#path = this.#scheme = this.#authority = this.#host = this.#lines = this.#cookie = "";
    this.#seen = 0;
    this.lineCount = 1;
    for (let at = 0; at < fields.length; at += 2) {
      const why = this.#take(fields[at]!, fields[at + 1]!);
      if (why !== null) return why;
    }
    return this.#write();
  }

  #take(name: string, value: string): Refusal | null {
    if (name.charCodeAt(0) === 58) return this.#takePseudo(name, value);
    if (name === "host") {
      if (this.#host !== "") return SEVERAL_HOSTS;
      this.#host = value;
      return null;
    }
    if (name === "cookie") {
      // RFC 9113 section 8.2.3: crumbs become one field again.
      this.#cookie = this.#cookie === "" ? value : `${this.#cookie}; ${value}`;
      return null;
    }
    if (name.includes(":")) return BAD_NAME;
    this.#lines += `${name}: ${value}\r\n`;
    this.lineCount++;
    return null;
  }

  #takePseudo(name: string, value: string): Refusal | null {
    if (this.lineCount > 1 || this.#host !== "" || this.#cookie !== "") return PSEUDO_LATE;
    const bit = name === ":method" ? 1 : name === ":path" ? 2 : name === ":scheme" ? 4 : name === ":authority" ? 8 : 0;
    if (bit === 0) return PSEUDO_UNKNOWN;
    if ((this.#seen & bit) !== 0) return PSEUDO_REPEATED;
    this.#seen |= bit;
    if (bit === 1) this.method = value;
    else if (bit === 2) this.#path = value;
    else if (bit === 4) this.#scheme = value;
    else this.#authority = value;
    return null;
  }

  #write(): string | Refusal {
    if (this.method === "CONNECT") {
      // RFC 9113 section 8.5; the parser refuses it as it refuses HTTP/1.1's.
      this.#path = this.#authority;
    } else if ((this.#seen & 7) !== 7) return PSEUDO_MISSING;
    else if (this.#scheme !== "http" && this.#scheme !== "https") return BAD_SCHEME;
    else if (this.#path.charCodeAt(0) !== 47 && this.#path !== "*") return BAD_TARGET;
    const host = this.#authority === "" ? this.#host : this.#authority;
    // RFC 9113 section 8.3.1: who acts on one and forwards the other can be led to different places.
    if (this.#host !== "" && this.#host.toLowerCase() !== host.toLowerCase()) return OTHER_HOST;
    if (this.#cookie !== "") {
      this.#lines += `cookie: ${this.#cookie}\r\n`;
      this.lineCount++;
    }
    return `${this.method} ${this.#path} HTTP/1.1\r\nhost: ${host}\r\n${this.#lines}\r\n`;
  }
}

const scratch = new HeaderList();
