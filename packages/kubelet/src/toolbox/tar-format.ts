// Headers of tar archives (POSIX.1-2017, pax: ustar and its extensions), and what GNU tar and Go write besides.

/** What an entry says of itself; other types than these are passed over. */
export interface TarEntry {
  path: string;
  type: "file" | "directory" | "other";
  size: number;
  /** Permission bits. */
  mode: number;
  /** Seconds since the epoch. */
  modified: number;
}

export const tarBlock = 512;

/** The archive is damaged, or no archive. */
export class TarError extends Error {}

const longest = { name: 100, prefix: 155 };
const maxExtensionBytes = 64 * 1024;

/** Padding after `size` bytes of content. */
export function paddingAfter(size: number): number {
  return (tarBlock - (size % tarBlock)) % tarBlock;
}

/** The header blocks of an entry: one, or three when its path or size needs a pax header. */
export function encodeHeader(entry: TarEntry): Buffer {
  const path = entry.type === "directory" && !entry.path.endsWith("/") ? `${entry.path}/` : entry.path;
  const fits = Buffer.byteLength(path) <= longest.name && entry.size < 8 ** 11;
  if (fits) return ustarHeader({ ...entry, path }, entry.type === "directory" ? "5" : "0");
  const record = Buffer.concat([paxRecord("path", path), paxRecord("size", String(entry.size))]);
  const extension = ustarHeader({ ...entry, path: "pax", size: record.length }, "x");
  const short = { ...entry, path: Buffer.from(path).subarray(-longest.name).toString("latin1"), size: 0 };
  const main = ustarHeader(
    entry.size < 8 ** 11 ? { ...short, size: entry.size } : short,
    entry.type === "directory" ? "5" : "0",
  );
  return Buffer.concat([extension, record, Buffer.alloc(paddingAfter(record.length)), main]);
}

function ustarHeader({ path, size, mode, modified }: TarEntry, flag: string): Buffer {
  const header = Buffer.alloc(tarBlock);
  header.write(path, 0, longest.name);
  header.write(octal(mode & 0o7777, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(Math.max(0, Math.floor(modified)), 11), 136);
  header.write("        ", 148);
  header.write(flag, 156);
  header.write("ustar\u000000", 257);
  header.write(`${octal(checksum(header), 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum;
}

/** `"%d %s=%s\n"`, where the number counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** Reads the bytes of an archive in order. */
export interface TarSource {
  /** Exactly `bytes`, or fewer at the end. */
  read(bytes: number): Promise<Buffer>;
}

/** The next entry, its extensions applied; undefined at the end. Throws a TarError. The content (and padding) follows. */
export async function readHeader(source: TarSource): Promise<TarEntry | undefined> {
  const extended: { path?: string; size?: number; modified?: number } = {};
  for (;;) {
    const header = await source.read(tarBlock);
    if (header.every((byte) => byte === 0)) return undefined;
    if (header.length < tarBlock) throw new TarError("unexpected end of archive");
    if (numberOf(header, 148, 8) !== checksum(header)) throw new TarError("invalid tar header checksum");
    const flag = String.fromCharCode(header[156] ?? 0);
    const size = numberOf(header, 124, 12);
    if (flag === "x" || flag === "L") {
      if (size > maxExtensionBytes) throw new TarError("extended header too large");
      const content = await source.read(size + paddingAfter(size));
      const body = content.subarray(0, size);
      if (flag === "L") extended.path = textOf(body, 0, size);
      else Object.assign(extended, paxValues(body));
      continue;
    }
    const magic = header.toString("latin1", 257, 262) === "ustar";
    const prefix = magic ? textOf(header, 345, longest.prefix) : "";
    const name = textOf(header, 0, longest.name);
    const path = extended.path ?? (prefix === "" ? name : `${prefix}/${name}`);
    const types: Record<string, TarEntry["type"]> = { "0": "file", "\0": "file", "7": "file", "5": "directory" };
    const modified = extended.modified ?? numberOf(header, 136, 12);
    return {
      path,
      type: types[flag] ?? "other",
      size: extended.size ?? size,
      mode: numberOf(header, 100, 8) & 0o777,
      modified,
    };
  }
}

function textOf(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

/** Octal digits, or base-256 where the first bit says so (GNU). */
function numberOf(header: Buffer, start: number, length: number): number {
  if ((header[start] ?? 0) & 0x80) {
    const value = header.readBigUInt64BE(start + length - 8);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new TarError("number too large");
    return Number(value);
  }
  const text = textOf(header, start, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new TarError("invalid number in header");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function paxValues(body: Buffer): { path?: string; size?: number; modified?: number } {
  const values: { path?: string; size?: number; modified?: number } = {};
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, space));
    if (space < 0 || !Number.isInteger(length) || length < 5 || at + length > body.length)
      throw new TarError("invalid extended header");
    const record = body.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === "path") values.path = value;
    if (key === "size" && /^\d{1,15}$/.test(value)) values.size = Number(value);
    if (key === "mtime") values.modified = Number(value) || 0;
    at += length;
  }
  return values;
}
