// Header blocks of SPDY/3.1 (section 2.6.10): name-value pairs, compressed with one zlib stream per direction and a
// dictionary that both sides know.

import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

/** Lower-case names; several values of a name are separated by NUL. */
export type HeaderBlock = Record<string, string>;

/** What a peer sent is no valid header block. */
export class HeaderBlockError extends Error {}

const maxBlockBytes = 64 * 1024;
const windowBytes = 32 * 1024;

const dictionaryNames =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length " +
  "content-location content-md5 content-range content-type date etag expect expires from host if-match " +
  "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma " +
  "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade " +
  "user-agent vary via warning www-authenticate method get status";
const dictionaryRest = ["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"];
const dictionaryTail =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized" +
  "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain," +
  "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/** The dictionary of section 2.6.10.1: known names and values with their lengths, then a tail without. */
export const spdyDictionary: Buffer = Buffer.concat([
  ...[...dictionaryNames.split(" "), ...dictionaryRest].map(lengthPrefixed),
  Buffer.from(dictionaryTail, "latin1"),
]);

// A zlib stream's start (RFC 1950): method and window, FDICT, and the Adler-32 of the dictionary.
const streamStart = Buffer.from("78bbe3c6a7c2", "hex");

/**
 * One direction of a connection, made to be called for every block in order. Every block ends at a byte border (a sync flush),
 * so the stream is carried on by hand: raw deflate whose dictionary is what came before.
 */
export class HeaderDecoder {
  #window = spdyDictionary;
  #begun = false;

  /** Throws a HeaderBlockError, also for a block that would be larger than 64 KiB. */
  decode(block: Buffer): HeaderBlock {
    const first = !this.#begun;
    if (first && !startsStream(block)) throw new HeaderBlockError("no zlib stream with SPDY's dictionary");
    this.#begun = true;
    const plain = inflate(first ? block.subarray(streamStart.length) : block, this.#window);
    this.#window = lastOf(this.#window, plain);
    return parsePairs(plain);
  }
}

export class HeaderEncoder {
  #window = spdyDictionary;
  #begun = false;

  encode(headers: HeaderBlock): Buffer {
    const pairs = Object.entries(headers).flatMap(([name, value]) => [lengthPrefixed(name), lengthPrefixed(value)]);
    const plain = Buffer.concat([uint32(pairs.length / 2), ...pairs]);
    const options = { dictionary: this.#window, finishFlush: constants.Z_SYNC_FLUSH };
    const compressed = deflateRawSync(plain, options);
    this.#window = lastOf(this.#window, plain);
    const start = this.#begun ? [] : [streamStart];
    this.#begun = true;
    return Buffer.concat([...start, compressed]);
  }
}

/** The level bits of the second byte are the sender's own. */
function startsStream(block: Buffer): boolean {
  if (block.length < streamStart.length) return false;
  const [method = 0, flags = 0] = block;
  const header = (method & 0x0f) === 8 && (flags & 0x20) !== 0 && ((method << 8) | flags) % 31 === 0;
  return header && block.subarray(2, 6).equals(streamStart.subarray(2));
}

function inflate(data: Buffer, dictionary: Buffer): Buffer {
  try {
    const finishFlush = constants.Z_SYNC_FLUSH;
    return inflateRawSync(data, { dictionary, finishFlush, maxOutputLength: maxBlockBytes });
  } catch (error) {
    throw new HeaderBlockError(`header block: ${(error as Error).message}`, { cause: error });
  }
}

function lastOf(window: Buffer, plain: Buffer): Buffer {
  return Buffer.concat([window, plain]).subarray(-windowBytes);
}

function parsePairs(plain: Buffer): HeaderBlock {
  const headers: HeaderBlock = Object.create(null) as HeaderBlock;
  let at = 0;
  const number = (): number => {
    if (at + 4 > plain.length) throw new HeaderBlockError("header block: cut short");
    at += 4;
    return plain.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > plain.length) throw new HeaderBlockError("header block: cut short");
    at += length;
    return plain.toString("utf8", at - length, at);
  };
  const count = number();
  for (let index = 0; index < count; index++) {
    const name = text();
    if (name === "" || name in headers) throw new HeaderBlockError("header block: empty or repeated name");
    headers[name] = text();
  }
  if (at !== plain.length) throw new HeaderBlockError("header block: bytes left over");
  return headers;
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
