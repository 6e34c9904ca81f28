// Byte classes of RFC 9110 section 5.6 and RFC 9112, as tables of 256 entries, and the field names the proxy acts on.

function table(accept: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => accept(byte));
}

const TCHAR_MARKS = "!#$%&'*+-.^_`|~";

/** `tchar` -> its lower-case byte, anything else 0. */
export const TOKEN: Uint8Array = table((byte) => {
  const char = String.fromCharCode(byte);
  return /[0-9A-Za-z]/.test(char) || TCHAR_MARKS.includes(char) ? char.toLowerCase().charCodeAt(0) : 0;
});

/** Bytes a field value may hold: HTAB, SP, VCHAR, obs-text. */
export const FIELD_VALUE: Uint8Array = table((byte) => (byte === 9 || (byte >= 32 && byte !== 127) ? 1 : 0));

/** Bytes a request target may hold: visible ASCII without `#`, which never travels (RFC 9112 section 3.2). */
export const TARGET: Uint8Array = table((byte) => (byte > 32 && byte < 127 && byte !== 35 ? 1 : 0));

/** Hexadecimal digit -> 1 + its value, anything else 0. */
export const HEX: Uint8Array = table((byte) => {
  const char = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(char) ? Number.parseInt(char, 16) + 1 : 0;
});

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;
export const SEMICOLON = 59;

/** Field names with a meaning for the proxy; the index in this list is the id. Index 0 stands for every other name. */
const NAMES = [
  "",
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "keep-alive",
  "proxy-connection",
  "http2-settings",
  "forwarded",
  "x-real-ip",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-forwarded-server",
  "user-agent",
  "referer",
  "proxy-authorization",
  "proxy-authenticate",
] as const;

export const FieldId = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  te: 5,
  trailer: 6,
  upgrade: 7,
  expect: 8,
  keepAlive: 9,
  proxyConnection: 10,
  http2Settings: 11,
  forwarded: 12,
  xRealIp: 13,
  xForwardedFor: 14,
  xForwardedHost: 15,
  xForwardedProto: 16,
  xForwardedPort: 17,
  xForwardedServer: 18,
  userAgent: 19,
  referer: 20,
  proxyAuthorization: 21,
  proxyAuthenticate: 22,
} as const;

const NAME_BYTES: Uint8Array[] = NAMES.map((name) => Uint8Array.from(Buffer.from(name)));
const SLOTS = 512;
const slotOf = (hash: number): number => (hash ^ (hash >>> 9)) & (SLOTS - 1);

/** Rolling hash of a field name over `TOKEN` values: start with 0, feed each lower-case byte. */
export const hashStep = (hash: number, lowerByte: number): number => (Math.imul(hash, 31) + lowerByte) | 0;

/** Slot -> ids whose name falls there; a list, so that a collision costs a comparison and never a wrong answer. */
const ID_SLOTS: (number[] | undefined)[] = Array.from({ length: SLOTS });
for (let id = 1; id < NAMES.length; id++) {
  const hash = Buffer.from(NAMES[id]!).reduce((sum, byte) => hashStep(sum, byte), 0);
  (ID_SLOTS[slotOf(hash)] ??= []).push(id);
}

/** The id of the field name at bytes[start, end), 0 for a name without meaning here. `hash` as built by `hashStep`. */
export function fieldId(bytes: Uint8Array, start: number, end: number, hash: number): number {
  const candidates = ID_SLOTS[slotOf(hash)];
  if (candidates === undefined) return FieldId.other;
  for (let index = 0; index < candidates.length; index++) {
    const id = candidates[index]!;
    if (isNamed(NAME_BYTES[id]!, bytes, start, end)) return id;
  }
  return FieldId.other;
}

function isNamed(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = name;
  if (length !== end - start) return false;
  for (let at = 0; at < length; at++) if (TOKEN[bytes[start + at]!] !== name[at]) return false;
  return true;
}
