// Encodes header blocks (RFC 7541) without a dynamic table: what a field comes to depends on nothing else, so that the same line
// is encoded once for all connections, and no peer can make an encoder remember.

import { encodeHuffman, huffmanLength } from "./huffman.ts";
import { STATIC_INDEX, STATIC_NAMES, STATIC_VALUES } from "./static-table.ts";

const SPACE = 32;
const TAB = 9;

const NOT_INDEXED = 0x00;
/** Nobody on the way may put it into a table, where guesses could be compared with it (RFC 7541 section 7.1.3). */
const NEVER_INDEXED = 0x10;
const SECRET = new Set(["set-cookie", "authorization", "proxy-authorization", "cookie"]);

/** Field lines seen lately and what they come to. */
const recent = new Map<string, string>();
const MOST_RECENT = 512;
const LONGEST_RECENT = 256;

const statuses = new Map<number, string>();

/** What the first header block of a connection begins with: the table has no room, so that whatever size the decoder allows later
 * changes nothing, and it need not wait for our agreement (RFC 7541 sections 4.2 and 6.3). */
export const NO_TABLE = "\x20";

/** A header block's first field. */
export function encodeStatus(status: number): string {
  const known = statuses.get(status);
  if (known !== undefined) return known;
  const index = STATIC_NAMES.findIndex((name, at) => name === ":status" && STATIC_VALUES[at] === String(status));
  const encoded = index > 0 ? integer(index, 7, 0x80) : field(":status", String(status));
  statuses.set(status, encoded);
  return encoded;
}

/** `Name: value` lines, each with its CRLF, as part of a header block; both Latin-1. */
export function encodeFieldLines(lines: string): string {
  let block = "";
  for (let at = 0; at < lines.length;) {
    const next = lines.indexOf("\r\n", at) + 2;
    block += encodeLine(lines.slice(at, next));
    at = next;
  }
  return block;
}

function encodeLine(line: string): string {
  const known = recent.get(line);
  if (known !== undefined) return known;
  const colon = line.indexOf(":");
  let start = colon + 1;
  let end = line.length - 2;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  const name = line.slice(0, colon).toLowerCase();
  const encoded = field(name, line.slice(start, end));
  if (line.length > LONGEST_RECENT || SECRET.has(name)) return encoded;
  if (recent.size >= MOST_RECENT) recent.clear();
  recent.set(line, encoded);
  return encoded;
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

function field(name: string, value: string): string {
  const pattern = SECRET.has(name) ? NEVER_INDEXED : NOT_INDEXED;
  const index = STATIC_INDEX.get(name) ?? 0;
  return integer(index, 4, pattern) + (index === 0 ? literal(name) : "") + literal(value);
}

function literal(text: string): string {
  const coded = huffmanLength(text);
  return coded < text.length ? integer(coded, 7, 0x80) + encodeHuffman(text) : integer(text.length, 7, 0) + text;
}

/** RFC 7541 section 5.1. */
function integer(value: number, prefix: number, pattern: number): string {
  const most = (1 << prefix) - 1;
  if (value < most) return String.fromCharCode(pattern | value);
  let out = String.fromCharCode(pattern | most);
  let rest = value - most;
  for (; rest >= 128; rest >>>= 7) out += String.fromCharCode((rest & 127) | 128);
  return out + String.fromCharCode(rest);
}
