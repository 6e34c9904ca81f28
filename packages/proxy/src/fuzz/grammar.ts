// What HTTP/1.1 streams of requests and answers are made of, in every spelling that is right, odd or wrong; and the bytes that
// mutations put where they do not belong.

import type { Random } from "./random.ts";

const METHODS = ["GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"];
const ODD_METHODS = ["get", "PURGE", "G\0T", "", "GET ", "CONNECT", "TRACE", "PRI", "M-SEARCH", "A".repeat(40)];
const TARGETS = ["/", "/a", "/a/b?c=d", "/?x", "/a%20b", "/a//b", "/a/../b", "/%2e%2e/a", "/a;b"];
const ODD_TARGETS = [
  "*",
  "http://a.test/x",
  "http://b.test",
  "HTTP://a.test?q",
  "//a.test/",
  "a.test:80",
  "/a b",
  "/\t",
  "",
  "/#a",
];
const VERSIONS = [
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/1.10",
  "HTTP/2.0",
  "http/1.1",
  "HTTP/0.9",
  "HTTP/1.",
  "HTTP /1.1",
  "",
  "HTTP/1.1 ",
];
const LINE_ENDS = ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", "\0\r\n", "\v\r\n"];
const LENGTH_NAMES = ["Content-Length", "content-length", "CONTENT-LENGTH"];
const ODD_LENGTH_NAMES = [
  "Content-Length ",
  "Content_Length",
  "Content-Length\t",
  " Content-Length",
  "Content\0-Length",
  "Content-Len\u00adgth",
];
const CODING_NAMES = ["Transfer-Encoding", "transfer-encoding", "TRANSFER-encoding"];
const ODD_CODING_NAMES = [
  "Transfer-Encoding ",
  "Transfer_Encoding",
  " Transfer-Encoding",
  "Transfer-Encoding\t",
  "X\r\nTransfer-Encoding",
  "Transfer-\u0000Encoding",
];
const ODD_CODINGS = [
  "Chunked",
  "CHUNKED",
  "chunked,",
  ",chunked",
  "chunked, chunked",
  "identity",
  "gzip, chunked",
  "chunked, gzip",
  "xchunked",
  "chunked\xa0",
  "\xa0chunked",
  "\x0bchunked",
  "chunked\x0c",
  '"chunked"',
  "'chunked'",
  "chunked;a=b",
  "chunked\0",
  "chunked chunked",
  "",
  "chunked, identity",
  "\tchunked\t",
  "chunke\xe4d",
  "chunked\r\n ",
  "cow",
];
const OTHER_FIELDS = [
  "A: b",
  "Accept: */*",
  "X-Long: " + "y".repeat(300),
  "Cookie: a=b; c=d",
  "A:b",
  "A: \tb \t",
  "A:",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: Content-Length",
  "Connection: Transfer-Encoding, X",
  "Connection: Host",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
  "Connection: upgrade\r\nUpgrade: websocket",
  "TE: trailers",
  "TE: chunked",
  "Trailer: X-T",
  "Expect: 100-continue",
  "Expect: 200-ok",
  "Expect: ",
  "X-Forwarded-For: 1.2.3.4",
  "Keep-Alive: timeout=5",
  "Proxy-Connection: close",
  "Proxy-Authorization: x",
];
const ODD_FIELDS = [
  "A : b",
  ": b",
  "A",
  " A: b",
  "A: b\r\n c",
  "A: b\0",
  "A: b\x7f",
  "A(: b",
  "A: \xff\xfe",
  "\xe9: a",
  "A: b\x01c",
  "Host: b.test",
  "A: b\rB: c",
];
const ODD_HOSTS = [
  "Host: ",
  "Host: a b",
  "host: a.test",
  "Host : a.test",
  "Host: a.test, b.test",
  "Host: a.test:99999",
  "Host: u@a.test",
  "Host:\ta.test",
  "",
  "Host: [::1]:80",
];
const ODD_SIZES = ["0x", "+", "-", " ", "00000000000000000000", "ffffffffffffffff", "\t", "_", "g"];
const EXTENSIONS = [
  "",
  "",
  "",
  ";",
  ";a",
  ";a=b",
  ';a="b;c"',
  " ;a",
  ";a=\r",
  ";a\n",
  " ",
  ';"\r\n',
  ";\xff",
  ";a=b\0",
  ";" + "e".repeat(1030),
  "=a",
  ",a",
];
const TRAILERS = [
  "",
  "",
  "",
  "X-T: 1\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: evil\r\n",
  " folded\r\n",
  "X-T : 1\r\n",
  "X\r\n",
  "X: a\rb\r\n",
  "X: a\n",
];
const BODIES = [
  "",
  "a",
  "hello",
  "GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n",
  "0\r\n\r\n",
  "\r\n",
  "x".repeat(100),
  "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
];
const STATUSES = [
  "200 OK",
  "200 OK",
  "200 OK",
  "204 No Content",
  "304 Not Modified",
  "404 Not Found",
  "500 ",
  "299",
  "205 Reset",
  "206 Partial Content",
];
const ODD_STATUSES = [
  "2000 OK",
  "99 Low",
  "20 OK",
  "+200 OK",
  "200\tOK",
  "200 O\0K",
  "999 High",
  " 200 OK",
  "100 Continue",
  "101 Switching",
  "200 OK\r\n\r\n",
];
const INTERIMS = [
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
  "HTTP/1.1 102 \r\nContent-Length: 5\r\n\r\n",
];
const INSERTIONS = [
  "\r",
  "\n",
  "\r\n",
  "\0",
  " ",
  "\t",
  "\xa0",
  ":",
  ",",
  ";",
  "0",
  "\r\n\r\n",
  "\x0b",
  "\x7f",
  "\x85",
  "\xff",
  "\r\n ",
  "chunked",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
];

/** Writes streams. `oddity`: one choice in so many is an odd one; 0 for none, and then all that is written is correct. */
export class Writer {
  readonly random: Random;
  readonly #oddity: number;

  constructor(random: Random, oddity: number) {
    this.random = random;
    this.#oddity = oddity;
  }

  #odd(): boolean {
    return this.#oddity > 0 && this.random.once(this.#oddity);
  }

  #choose(usual: readonly string[], odd: readonly string[]): string {
    return this.random.pick(this.#odd() ? odd : usual);
  }

  #lineEnd(): string {
    return this.#odd() && this.#odd() ? this.random.pick(LINE_ENDS) : "\r\n";
  }

  /** One to four requests on a connection, the last of which says that it is the last. */
  requests(): string {
    const count = 1 + this.random.below(4);
    let text = "";
    for (let each = 0; each < count; each++) text += this.#request();
    return text;
  }

  #request(): string {
    const version = this.#choose(["HTTP/1.1"], VERSIONS);
    const blank = this.#choose([" "], ["  ", "\t", "", "\x0b", "\r"]);
    const empty = this.#choose([""], ["\r\n", "\r\n\r\n", "\n", "\r", " "]);
    const start = `${empty}${this.#choose(METHODS, ODD_METHODS)} ${this.#choose(TARGETS, ODD_TARGETS)}${blank}${version}`;
    const fields = [this.#choose(["Host: a.test"], ODD_HOSTS)];
    return start + this.#lineEnd() + this.#message(fields);
  }

  /** Fields in any order, and a body as they (mostly) say. */
  #message(fields: string[]): string {
    for (let more = this.random.below(3); more > 0; more--) {
      const usual = OTHER_FIELDS.slice(0, this.#oddity > 0 ? undefined : 7);
      fields.push(this.#choose(usual, ODD_FIELDS));
    }
    const body = this.#body(fields);
    for (let at = fields.length - 1; at > 0; at--) {
      const other = this.random.below(at + 1);
      [fields[at], fields[other]] = [fields[other]!, fields[at]!];
    }
    return (
      fields
        .filter((field) => field !== "")
        .map((field) => field + this.#lineEnd())
        .join("") +
      this.#lineEnd() +
      body
    );
  }

  #body(fields: string[]): string {
    const kind = this.random.below(4);
    const plain = this.random.pick(BODIES);
    const sized = kind === 1 || (kind > 1 && this.#odd());
    const chunked = kind === 2 || (kind === 1 && this.#odd());
    if (sized) {
      for (let again = this.#odd() ? 2 : 1; again > 0; again--)
        fields.push(`${this.#choose(LENGTH_NAMES, ODD_LENGTH_NAMES)}: ${this.#length(plain.length)}`);
    }
    if (!chunked) return sized ? plain : "";
    for (let again = this.#odd() ? 2 : 1; again > 0; again--)
      fields.push(`${this.#choose(CODING_NAMES, ODD_CODING_NAMES)}: ${this.#choose(["chunked"], ODD_CODINGS)}`);
    return this.#chunks();
  }

  #length(length: number): string {
    if (!this.#odd()) return String(length);
    const other = [
      `+${length}`,
      `-${length}`,
      `0${length}`,
      `${length}, ${length}`,
      `0x${length}`,
      `${length}.0`,
      `${length} `,
      `\t${length}`,
    ];
    return this.random.pick([
      ...other,
      `${length}\xa0`,
      "",
      String(length + 1),
      "0",
      "18446744073709551616",
      `${length}\0`,
      `${length} ${length}`,
      `${length},`,
      "1e1",
    ]);
  }

  #chunks(): string {
    let text = "";
    for (let more = this.random.below(3); more > 0; more--) text += this.#chunk(this.random.pick(BODIES) || "a");
    const end = this.#choose(["0"], ["00", "000000", "", "0x0", " 0", "0 ", "-0"]);
    const trailers = this.#oddity > 0 ? this.random.pick(TRAILERS) : "";
    return `${text}${end}${this.#extension()}${this.#lineEnd()}${trailers}${this.#lineEnd()}`;
  }

  #chunk(data: string): string {
    const size = data.length.toString(16);
    const written = this.#odd()
      ? `${this.random.pick(ODD_SIZES)}${size}`
      : this.random.once(4)
        ? `0${size.toUpperCase()}`
        : size;
    return `${written}${this.#extension()}${this.#lineEnd()}${data}${this.#lineEnd()}`;
  }

  #extension(): string {
    return this.#oddity > 0 ? this.random.pick(EXTENSIONS.slice(0, this.#odd() ? undefined : 7)) : "";
  }

  /** An answer, with interim ones before it. */
  answer(): string {
    const interim = this.random.once(6) ? this.random.pick(INTERIMS) : "";
    const version = this.#choose(["HTTP/1.1"], ["HTTP/1.0", ...VERSIONS]);
    const status = this.#choose(STATUSES, ODD_STATUSES);
    return `${interim}${version} ${status}${this.#lineEnd()}${this.#message([])}`;
  }

  /** `text` with bytes put in, taken out, doubled and changed. */
  mutate(text: string): string {
    let result = text;
    for (let more = 1 + this.random.below(3); more > 0 && result.length > 0; more--) {
      const at = this.random.below(result.length);
      const kind = this.random.below(5);
      const behind = kind === 0 ? at : at + 1 + (kind === 3 ? this.random.below(8) : 0);
      const doubled = result.slice(at, at + 1 + this.random.below(40));
      const replacement = [this.random.pick(INSERTIONS), "", String.fromCharCode(this.random.below(256)), "", doubled][
        kind
      ]!;
      result = result.slice(0, at) + replacement + result.slice(kind === 4 ? at : behind);
    }
    return result;
  }
}
