// The header with which a proxy in front of us begins a connection to say whose it is (PROXY protocol, versions 1 and 2,
// https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt). Read to the letter, in whatever pieces it comes.

import { isIP } from "node:net";
import type { ProxiedAddresses } from "../connection-facts.ts";
import type { Opening, Progress } from "../read-ahead.ts";

/** Longest line of version 1, CRLF included. */
const LONGEST_LINE = 107;
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const FIXED = SIGNATURE.length + 4;
const EMPTY = Buffer.alloc(0);

/** What was read so far comes to: `length` bytes of header that say `addresses`, of which version 2 may be longer than
 * what has arrived (then the rest is of no interest). */
type Reading = "more" | "refused" | { length: number; addresses: ProxiedAddresses | null };

export class ProxyHeaderReader implements Opening {
  /** Once done: null when the connection is the proxy's own, or it does not know (LOCAL, UNKNOWN). */
  addresses: ProxiedAddresses | null = null;
  replay: Buffer = EMPTY;
  #held: Buffer = EMPTY;
  /** Bytes of the header still to be stepped over. */
  #skip = 0;

  push(bytes: Buffer): Progress {
    if (this.#skip === 0) {
      this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
      const reading = read(this.#held);
      if (typeof reading === "string") return reading;
      this.addresses = reading.addresses;
      return this.#stepOver(this.#held, reading.length);
    }
    return this.#stepOver(bytes, this.#skip);
  }

  #stepOver(bytes: Buffer, length: number): Progress {
    this.#skip = Math.max(0, length - bytes.length);
    this.#held = EMPTY;
    this.replay = bytes.subarray(length);
    return this.#skip > 0 ? "more" : "done";
  }
}

function read(bytes: Buffer): Reading {
  if (bytes[0] === SIGNATURE[0]) return readBinary(bytes);
  return readLine(bytes);
}

const BEGINNING = "PROXY ";
const CR = 13;

function readLine(bytes: Buffer): Reading {
  const start = bytes.toString("latin1", 0, BEGINNING.length);
  if (!BEGINNING.startsWith(start)) return "refused";
  const length = bytes.subarray(0, LONGEST_LINE).indexOf("\n") + 1;
  if (length === 0) return bytes.length < LONGEST_LINE ? "more" : "refused";
  const line = bytes.toString("latin1", BEGINNING.length, length - 2);
  if (bytes[length - 2] !== CR || line.includes("\r")) return "refused";
  if (line === "UNKNOWN" || line.startsWith("UNKNOWN ")) return { length, addresses: null };
  const fields = line.split(" ");
  const [protocol, sourceAddress = "", destinationAddress = "", sourcePort = "", destinationPort = ""] = fields;
  const family = protocol === "TCP4" ? 4 : protocol === "TCP6" ? 6 : 0;
  const fits =
    fields.length === 5 &&
    family !== 0 &&
    [sourceAddress, destinationAddress].every((address) => isIP(address) === family && !address.includes("%")) &&
    [sourcePort, destinationPort].every((port) => /^(0|[1-9]\d{0,4})$/.test(port) && Number(port) < 65536);
  if (!fits) return "refused";
  return {
    length,
    addresses: {
      sourceAddress,
      sourcePort: Number(sourcePort),
      destinationAddress,
      destinationPort: Number(destinationPort),
    },
  };
}

const VERSION = 2;
const Command = { local: 0, proxy: 1 } as const;
/** Address families with the length of their addresses; what is not a stream, or not IP, says nothing of use to us. */
const FAMILIES: Record<number, number> = { 0: 0, 1: 12, 2: 36, 3: 216 };
const LAST_TRANSPORT = 2;
const STREAM = 1;

function readBinary(bytes: Buffer): Reading {
  const signed = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, signed, 0, signed) !== 0) return "refused";
  if (bytes.length < FIXED) return "more";
  const [version, command] = nibbles(bytes[SIGNATURE.length]!);
  const [family, transport] = nibbles(bytes[SIGNATURE.length + 1]!);
  const payload = bytes.readUInt16BE(SIGNATURE.length + 2);
  const length = FIXED + payload;
  if (version !== VERSION || command > Command.proxy) return "refused";
  const needed = FAMILIES[family];
  if (needed === undefined || transport > LAST_TRANSPORT) return "refused";
  // What LOCAL carries is to be stepped over, whatever it is.
  if (command === Command.local) return { length, addresses: null };
  if (payload < needed) return "refused";
  if (bytes.length < FIXED + needed) return "more";
  const known = transport === STREAM && (family === 1 || family === 2);
  return { length, addresses: known ? readAddresses(bytes, family === 1 ? 4 : 16) : null };
}

function nibbles(byte: number): [number, number] {
  return [byte >> 4, byte & 15];
}

/** Source and destination address, of `size` bytes each, then their ports. */
function readAddresses(bytes: Buffer, size: 4 | 16): ProxiedAddresses {
  const ports = FIXED + 2 * size;
  return {
    sourceAddress: addressText(bytes.subarray(FIXED, FIXED + size)),
    sourcePort: bytes.readUInt16BE(ports),
    destinationAddress: addressText(bytes.subarray(FIXED + size, ports)),
    destinationPort: bytes.readUInt16BE(ports + 2),
  };
}

/** IPv4-mapped addresses come out as IPv4, as those of sockets do. */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const mapped = groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff";
  if (mapped) return bytes.subarray(12).join(".");
  // RFC 5952: the longest run of zeros is left out.
  const runs = [...groups.join(":").matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length);
  const longest = runs[0];
  if (longest === undefined) return groups.join(":");
  const before = groups.join(":").slice(0, longest.index).replace(/:$/, "");
  const after = groups
    .join(":")
    .slice(longest.index + longest[0].length)
    .replace(/^:/, "");
  return `${before}::${after}`;
}
