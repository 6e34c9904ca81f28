// A request's header list (RFC 9113 section 8.3) brought into the form of an HTTP/1.1 head and read by the one strict parser
// there is, so that a request means the same however it came.

import { Framing, REFUSED } from "../http1/field-lines.ts";
import type { Refusal } from "../http1/field-lines.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { FieldId } from "../http1/tokens.ts";
import { writeLatin1 } from "../io/latin1.ts";
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
const NO_HOST = refusal(400, "host-missing");
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

/** Reads names and values in turns, as received, into `head`. `ended`: no body follows. Returns why the request is refused; what
 * is refused with 400 is malformed (RFC 9113 section 8.1.1). */
export function readRequestFields(
  head: RequestHead,
  fields: readonly string[],
  ended: boolean,
  limits: Limits,
): Refusal | null {
  const text = textOf(fields);
  if (typeof text !== "string") return text;
  if (text.length > limits.headBytes + limits.requestLineBytes) return HEAD_TOO_LONG;
  if (text.length > bytes.length) bytes = Buffer.allocUnsafeSlow(text.length * 2);
  writeLatin1(bytes, text);
  const after = head.parse(bytes, 0, text.length, limits);
  if (after === REFUSED) return head.refusal;
  // Whatever a value could do to the lines of the text, it cannot do it without changing their number or the end.
  if (after !== text.length || head.count !== lineCount) return BAD_VALUE;
  if (head.method !== asked) return BAD_METHOD;
  head.protocol = "HTTP/2.0";
  return interpret(head, ended);
}

function interpret(head: RequestHead, ended: boolean): Refusal | null {
  for (let index = 0; index < head.count; index++) {
    const id = head.ids[index]!;
    // RFC 9113 section 8.2.1.
    if (!head.isPlain(index)) return BAD_VALUE;
    if (CONNECTION_SPECIFIC[id] !== 0) return CONNECTION_FIELD;
    if (id === FieldId.te && head.value(index) !== "trailers") return BAD_TE;
  }
  if (ended) return head.contentLength > 0 ? LENGTH_WITHOUT_BODY : null;
  if (head.framing !== Framing.none) return null;
  head.framing = Framing.chunked;
  // Not the head any more that is kept.
  head.known = null;
  return null;
}

/** What `textOf` found besides the text: used at once, one request at a time. */
let lineCount = 0;
let asked = "";

/** The text of an HTTP/1.1 head, or why there is none. */
function textOf(fields: readonly string[]): string | Refusal {
  let [method, path, scheme, authority, host, cookie, lines] = ["", "", "", "", "", "", ""];
  let seen = 0;
  lineCount = 1;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    const colon = name.indexOf(":");
    if (colon === 0) {
      const bit = pseudoBit(name);
      if (bit === 0) return PSEUDO_UNKNOWN;
      if ((seen & bit) !== 0) return PSEUDO_REPEATED;
      if ((seen & FIELD) !== 0) return PSEUDO_LATE;
      seen |= bit;
      if (bit === METHOD) method = value;
      else if (bit === PATH) path = value;
      else if (bit === SCHEME) scheme = value;
      else authority = value;
      continue;
    }
    // RFC 9113 section 8.2: in lower case. What else a name may not hold, the parser knows.
    if (colon > 0 || name.toLowerCase() !== name) return BAD_NAME;
    seen |= FIELD;
    if (name === "host") {
      if (host !== "") return SEVERAL_HOSTS;
      host = value;
    } else if (name === "cookie") {
      // RFC 9113 section 8.2.3: crumbs become one field again.
      cookie = cookie === "" ? value : `${cookie}; ${value}`;
    } else {
      lines += `${name}: ${value}\r\n`;
      lineCount++;
    }
  }
  if (cookie !== "") {
    lines += `cookie: ${cookie}\r\n`;
    lineCount++;
  }
  if (method === "CONNECT") {
    // RFC 9113 section 8.5; the parser refuses it as it refuses HTTP/1.1's.
    path = authority;
  } else if ((seen & NEEDED) !== NEEDED) return PSEUDO_MISSING;
  else if (scheme !== "http" && scheme !== "https") return BAD_SCHEME;
  else if (path.charCodeAt(0) !== 47 && path !== "*") return BAD_TARGET;
  // RFC 9113 section 8.3.1.
  else if (authority === "" && host === "") return NO_HOST;
  // Who acts on one and forwards the other can be led to different places.
  if (host !== "" && authority !== "" && host.toLowerCase() !== authority.toLowerCase()) return OTHER_HOST;
  asked = method;
  return `${method} ${path} HTTP/1.1\r\nHost: ${authority === "" ? host : authority}\r\n${lines}\r\n`;
}

const METHOD = 1;
const PATH = 2;
const SCHEME = 4;
const AUTHORITY = 8;
/** Any other field. */
const FIELD = 16;
const NEEDED = METHOD | PATH | SCHEME;

function pseudoBit(name: string): number {
  switch (name) {
    case ":method":
      return METHOD;
    case ":path":
      return PATH;
    case ":scheme":
      return SCHEME;
    case ":authority":
      return AUTHORITY;
    default:
      return 0;
  }
}
