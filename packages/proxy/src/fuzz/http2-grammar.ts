// Writes what HTTP/2 clients send, mostly correct, and with a rate of faults: of frames, of header blocks, and of bytes.

import { Flag, frameHead, FrameType, number32, PREFACE, settingsFrame } from "../http2/frames.ts";
import { encodeFieldLines } from "../http2/hpack/encoder.ts";
import type { Random } from "./random.ts";

const METHODS = ["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "G T", "GET /x", ""];
const PATHS = ["/", "/a", "/a/../b", "*", "", "x", "/#a", "/a b", "/\xe9", "http://a/", "/\r\nx: y"];
const AUTHORITIES = ["a.test", "a.test:80", "[::1]", "", "u@a", "a.test/x", "a.test\r\nx: y"];
const FIELDS = [
  "accept: */*",
  "cookie: a=b",
  "cookie: c=d",
  "te: trailers",
  "te: gzip",
  "content-length: 0",
  "content-length: 5",
  "content-length: 5, 5",
  "connection: close",
  "transfer-encoding: chunked",
  "host: a.test",
  "host: b.test",
  "x-y: \xff",
  "x: a\0b",
  "x:  blank ",
  "x y: z",
  ": z",
  ":path: /again",
  ":status: 200",
  ":protocol: websocket",
];

const byte = (value: number): string => String.fromCharCode(value & 255);
const literal = (text: string): string => byte(text.length) + text;

export class Http2Writer {
  readonly #random: Random;
  /** A fault in so many choices; 0: never. */
  readonly #rarity: number;
  #next = 1;
  /** Tells the targets of requests apart. */
  #requests = 0;
  readonly #open: number[] = [];

  constructor(random: Random, rarity: number) {
    this.#random = random;
    this.#rarity = rarity;
  }

  #fault(): boolean {
    return this.#rarity > 0 && this.#random.once(this.#rarity);
  }

  #choose<T>(choices: readonly T[], correct: number): T {
    return this.#fault() ? this.#random.pick(choices) : choices[this.#random.below(correct)]!;
  }

  /** A whole connection of the client's. */
  connection(): string {
    this.#next = 1;
    this.#open.length = 0;
    let text = PREFACE + settingsFrame(this.#random.once(2) ? [] : [[4, this.#random.pick([0, 1, 70_000])]]);
    for (let count = 1 + this.#random.below(8); count > 0; count--) text += this.#frames();
    if (this.#fault()) text = this.#mutate(text);
    return text;
  }

  #frames(): string {
    switch (this.#random.below(12)) {
      case 0:
        return this.#data();
      case 1:
        return this.#trailers();
      case 2:
        return frameHead(4, FrameType.windowUpdate, 0, this.#stream()) + number32(this.#increment());
      case 3:
        return frameHead(8, FrameType.ping, this.#random.below(2), 0) + "12345678";
      case 4:
        return settingsFrame([[this.#choose([1, 3, 4, 6, 8, 2, 5], 5), this.#choose([100, 0, 1, 65_535, 2 ** 31], 1)]]);
      case 5:
        return this.#fault() ? frameHead(4, FrameType.rstStream, 0, this.#stream()) + number32(8) : "";
      case 6:
        return this.#fault() ? this.#anything() : frameHead(0, FrameType.settings, Flag.ack, 0);
      default:
        return this.#request();
    }
  }

  #stream(): number {
    if (this.#fault()) return this.#random.below(9);
    return this.#open.length === 0 ? 0 : this.#random.pick(this.#open);
  }

  #increment(): number {
    return this.#choose([1000, 1, 0, 2 ** 31 - 1], 2);
  }

  #request(): string {
    const stream = this.#next;
    this.#next += this.#fault() ? this.#random.below(4) : 2;
    const ended = this.#random.once(2);
    if (!ended) this.#open.push(stream);
    const block = this.#pseudo() + this.#fields();
    return this.#headers(stream, block, ended);
  }

  #pseudo(): string {
    const parts = [
      `:method: ${this.#choose(METHODS, 4)}\r\n`,
      `:scheme: ${this.#choose(["http", "https", "ftp", ""], 2)}\r\n`,
      `:authority: ${this.#choose(AUTHORITIES, 3)}\r\n`,
      `:path: ${this.#choose(PATHS, 2)}?${++this.#requests}\r\n`,
    ];
    if (this.#fault()) parts.splice(this.#random.below(parts.length), 1);
    return parts.map((line) => this.#encode(line.slice(0, -2))).join("");
  }

  #fields(): string {
    let block = "";
    for (let count = this.#random.below(4); count > 0; count--) block += this.#encode(this.#choose(FIELDS, 1));
    if (this.#fault())
      block += this.#random.pick(["\x80", "\xbe", "\xbf", "\x3f\xe1\x1f", "\x20", "\xff\xff\xff", "\0"]);
    return block;
  }

  /** One of the forms that a field may have (RFC 7541 section 6). */
  #encode(line: string): string {
    const colon = line.indexOf(":", 1);
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
    const plain = literal(name) + literal(value);
    switch (this.#random.below(4)) {
      case 0:
        return `\x40${plain}`;
      case 1:
        return `\x10${plain}`;
      case 2:
        return name.startsWith(":") || /[\r\n]/.test(value) ? `\0${plain}` : encodeFieldLines(`${name}: ${value}\r\n`);
      default:
        return `\0${plain}`;
    }
  }

  #headers(stream: number, block: string, ended: boolean): string {
    const end = ended ? Flag.endStream : 0;
    if (!this.#random.once(4)) return frameHead(block.length, FrameType.headers, end | Flag.endHeaders, stream) + block;
    const cut = this.#random.below(block.length + 1);
    const between = this.#fault() ? this.#anything() : "";
    const rest = block.length - cut;
    return (
      `${frameHead(cut, FrameType.headers, end, stream)}${block.slice(0, cut)}${between}` +
      `${frameHead(rest, FrameType.continuation, Flag.endHeaders, stream)}${block.slice(cut)}`
    );
  }

  #data(): string {
    if (this.#open.length === 0 && !this.#fault()) return "";
    const stream = this.#stream();
    const content = "hello world".slice(0, this.#random.pick([0, 1, 5, 11]));
    const end = this.#random.once(2) ? Flag.endStream : 0;
    if (end !== 0 && this.#open.includes(stream)) this.#open.splice(this.#open.indexOf(stream), 1);
    if (!this.#random.once(3)) return frameHead(content.length, FrameType.data, end, stream) + content;
    const padding = this.#random.below(5);
    const said = this.#fault() ? this.#random.below(20) : padding;
    const payload = byte(said) + content + "\0".repeat(padding);
    return frameHead(payload.length, FrameType.data, end | Flag.padded, stream) + payload;
  }

  #trailers(): string {
    const stream = this.#open.pop();
    return stream === undefined ? "" : this.#headers(stream, this.#encode("x-t: 1") + this.#fields(), !this.#fault());
  }

  #anything(): string {
    const payload = "abcdefgh".slice(0, this.#random.below(9));
    return frameHead(payload.length, this.#random.below(12), this.#random.below(256), this.#random.below(6)) + payload;
  }

  /** Bytes changed, lost, doubled or put in, anywhere behind the preface. */
  #mutate(text: string): string {
    const at = PREFACE.length + this.#random.below(text.length - PREFACE.length);
    const [before, after] = [text.slice(0, at), text.slice(at)];
    switch (this.#random.below(4)) {
      case 0:
        return before + byte(this.#random.below(256)) + after.slice(1);
      case 1:
        return before + after.slice(1 + this.#random.below(9));
      case 2:
        return before + after.slice(0, 9) + after;
      default:
        return before + byte(this.#random.below(256)) + after;
    }
  }
}
