// The name a TLS client asks for, read from its ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3) without taking part
// in the handshake. The message may come in any number of segments and records. What is strict here is the structure:
// versions, cipher suites and extensions we do not know (GREASE, RFC 8701; the outer hello of ECH) are none of our business.

import { isIP } from "node:net";
import type { Opening, Progress } from "../read-ahead.ts";
import { Alert } from "./alerts.ts";

/** Longest message, header included, in bytes. With post-quantum key shares they are below 4 KiB. */
const LONGEST = 32 * 1024;
/** RFC 8446 section 5.1. */
const LONGEST_FRAGMENT = 16 * 1024;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** Labels of letters, digits, hyphens and underscores. */
const DNS_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
const LONGEST_NAME = 253;

export class ClientHelloReader implements Opening {
  /** Once done: lower case, null when the client names none. */
  serverName: string | null = null;
  /** Once refused: the alert the client is owed, null when it does not speak TLS. */
  alert: number | null = null;
  readonly #received: Buffer[] = [];
  readonly #header = Buffer.alloc(RECORD_HEADER);
  #headerLength = 0;
  /** Of the current record's fragment. */
  #missing = 0;
  readonly #fragments: Buffer[] = [];
  #length = 0;

  /** All that arrived, as the TLS stack or the backend has to see it. */
  get replay(): Buffer {
    return Buffer.concat(this.#received);
  }

  push(bytes: Buffer): Progress {
    this.#received.push(bytes);
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing === 0) {
        this.#header[this.#headerLength++] = bytes[at++]!;
        if (!this.#checkHeader()) return "refused";
        continue;
      }
      const end = Math.min(bytes.length, at + this.#missing);
      this.#missing -= end - at;
      const progress = this.#takeFragment(bytes.subarray(at, end));
      if (progress !== "more") return progress;
      at = end;
    }
    return "more";
  }

  /** Looks at the header's last byte. Whoever does not speak TLS is recognised at the first. */
  #checkHeader(): boolean {
    const [type, major] = this.#header;
    if (this.#headerLength === 1 && type !== HANDSHAKE_RECORD) return false;
    // The minor version is to be ignored (RFC 8446 section 5.1).
    if (this.#headerLength === 2 && major !== 3) return false;
    if (this.#headerLength < RECORD_HEADER) return true;
    this.#headerLength = 0;
    this.#missing = this.#header.readUInt16BE(3);
    if (this.#missing === 0) return this.#refuse(Alert.decodeError);
    return this.#missing <= LONGEST_FRAGMENT || this.#refuse(Alert.recordOverflow);
  }

  #refuse(alert: number): false {
    this.alert = alert;
    return false;
  }

  #takeFragment(fragment: Buffer): Progress {
    if (this.#length === 0 && fragment[0] !== CLIENT_HELLO) return this.#refused(Alert.unexpectedMessage);
    this.#fragments.push(fragment);
    this.#length += fragment.length;
    if (this.#length < MESSAGE_HEADER) return "more";
    const expected = MESSAGE_HEADER + this.#messageLength();
    if (expected > LONGEST) return this.#refused(Alert.decodeError);
    if (this.#length < expected) return "more";
    // Nothing may follow in the last record: keys change behind it.
    if (this.#length > expected || this.#missing > 0) return this.#refused(Alert.unexpectedMessage);
    return this.#parse(Buffer.concat(this.#fragments)) ? "done" : "refused";
  }

  #refused(alert: number): "refused" {
    this.alert = alert;
    return "refused";
  }

  #messageLength(): number {
    if (this.#fragments[0]!.length < MESSAGE_HEADER) {
      this.#fragments.splice(0, this.#fragments.length, Buffer.concat(this.#fragments));
    }
    return this.#fragments[0]!.readUIntBE(1, 3);
  }

  #parse(message: Buffer): boolean {
    const hello = new Cursor(message, MESSAGE_HEADER, message.length);
    hello.skip(2 + 32);
    const sessionId = hello.vector(1);
    const cipherSuites = hello.vector(2);
    const compressions = hello.vector(1);
    const wellFormed =
      sessionId.left <= 32 && cipherSuites.left >= 2 && cipherSuites.left % 2 === 0 && compressions.left >= 1;
    if (hello.overrun || !wellFormed) return this.#refuse(Alert.decodeError);
    // TLS 1.2 clients may have none at all.
    if (hello.left === 0) return true;
    const extensions = hello.vector(2);
    if (hello.overrun || hello.left > 0) return this.#refuse(Alert.decodeError);
    return this.#parseExtensions(extensions);
  }

  #parseExtensions(extensions: Cursor): boolean {
    const seen = new Set<number>();
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const data = extensions.vector(2);
      if (extensions.overrun) return this.#refuse(Alert.decodeError);
      // RFC 8446 section 4.2.
      if (seen.has(type)) return this.#refuse(Alert.illegalParameter);
      seen.add(type);
      if (type === SERVER_NAME && !this.#parseServerName(data)) return false;
    }
    return true;
  }

  /** A list that in practice has one entry: no other type of name was ever defined. */
  #parseServerName(data: Cursor): boolean {
    const list = data.vector(2);
    const type = list.number(1);
    const name = list.vector(2);
    if (data.overrun || list.overrun || data.left > 0 || list.left > 0 || name.left === 0)
      return this.#refuse(Alert.decodeError);
    if (type !== HOST_NAME) return this.#refuse(Alert.illegalParameter);
    const host = name.text().toLowerCase().replace(/\.$/, "");
    // Addresses are not permitted, but asked for all the same by some; they name no host.
    if (isIP(host) !== 0) return true;
    if (host.length > LONGEST_NAME || !DNS_NAME.test(host)) return this.#refuse(Alert.illegalParameter);
    this.serverName = host;
    return true;
  }
}

/** Reads numbers and vectors (RFC 8446 section 3); beyond the end it yields nothing and says so in `overrun`. */
class Cursor {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  overrun = false;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  /** Steps over `length` bytes; returns where they begin. */
  skip(length: number): number {
    const start = this.#at;
    if (length > this.left) {
      this.overrun = true;
      this.#at = this.#end;
    } else this.#at += length;
    return start;
  }

  /** Big-endian, of 1 or 2 bytes. */
  number(size: 1 | 2): number {
    const start = this.skip(size);
    return this.overrun ? 0 : this.#bytes.readUIntBE(start, size);
  }

  /** What follows a length of 1 or 2 bytes. */
  vector(size: 1 | 2): Cursor {
    const length = this.number(size);
    const start = this.skip(length);
    return this.overrun ? new Cursor(this.#bytes, 0, 0) : new Cursor(this.#bytes, start, start + length);
  }

  text(): string {
    return this.#bytes.toString("latin1", this.#at, this.#end);
  }
}
