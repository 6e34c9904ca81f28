// Kubernetes' libraries for IP addresses, CIDR blocks and URLs.

import { isIP } from "node:net";
import { CelError, Opaque } from "../values.ts";
import { fn, method, type Overload } from "./overload.ts";

/** An address as its bits: 32 of them or 128. */
class Address extends Opaque {
  readonly kind = "ip";
  readonly bits: bigint;
  readonly family: 4 | 6;

  constructor(bits: bigint, family: 4 | 6) {
    super();
    this.bits = bits;
    this.family = family;
  }

  equals(other: Opaque): boolean {
    return other instanceof Address && other.bits === this.bits && other.family === this.family;
  }

  /** True when the first `length` bits are those of `prefix`, which are that many. */
  startsWith(prefix: bigint, length: number): boolean {
    return this.bits >> BigInt((this.family === 4 ? 32 : 128) - length) === prefix;
  }
}

/** Undefined for what is no address, zones and IPv4 within IPv6 (`::ffff:1.2.3.4`) included, as in Kubernetes. */
function readAddress(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4)
    return new Address(
      text.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n),
      4,
    );
  if (family !== 6 || text.includes("%")) return undefined;
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => "0");
  const all = [...left, ...middle, ...right];
  const bits = all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return bits >> 32n === 0xffffn ? undefined : new Address(bits, 6);
}

function address(text: string): Address {
  const found = readAddress(text);
  if (!found)
    throw new CelError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return found;
}

function addressText({ bits, family }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const full = groups.join(":");
  // RFC 5952: the longest run of zero groups, the first of equals, and no single one.
  const runs = [...full.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.reduce<RegExpMatchArray | undefined>(
    (a, b) => (a && a[0].length >= b[0].length ? a : b),
    undefined,
  );
  if (!longest) return full;
  const start = longest.index ?? 0;
  return `${full.slice(0, start).replace(/:$/, "")}::${full.slice(start + longest[0].length).replace(/^:/, "")}`;
}

class Block extends Opaque {
  readonly kind = "cidr";
  readonly address: Address;
  readonly length: number;

  constructor(base: Address, length: number) {
    super();
    this.address = base;
    this.length = length;
  }

  equals(other: Opaque): boolean {
    return other instanceof Block && other.length === this.length && other.address.equals(this.address);
  }

  get rest(): bigint {
    return BigInt((this.address.family === 4 ? 32 : 128) - this.length);
  }

  contains(other: Address): boolean {
    return other.family === this.address.family && other.bits >> this.rest === this.address.bits >> this.rest;
  }

  masked(): Block {
    return new Block(new Address((this.address.bits >> this.rest) << this.rest, this.address.family), this.length);
  }
}

function readBlock(text: string): Block | undefined {
  const [, base = "", length = ""] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const found = readAddress(base);
  if (!found || Number(length) > (found.family === 4 ? 32 : 128)) return undefined;
  return new Block(found, Number(length));
}

function block(text: string): Block {
  const found = readBlock(text);
  if (!found)
    throw new CelError(`network address parse error during conversion from string: ${JSON.stringify(text)} is no CIDR`);
  return found;
}

/** Ranges of addresses by family: [prefix, its length]. */
type Ranges = Record<4 | 6, [bigint, number]>;
const loopback: Ranges = { 4: [127n, 8], 6: [1n, 128] };
const linkLocalMulticast: Ranges = { 4: [0xe00000n, 24], 6: [0xff02n, 16] };
const linkLocalUnicast: Ranges = { 4: [0xa9fen, 16], 6: [0xfe80n >> 6n, 10] };
const multicast: Ranges = { 4: [0xen, 4], 6: [0xffn, 8] };

const within =
  (ranges: Ranges) =>
  (ip: Address): boolean =>
    ip.startsWith(...ranges[ip.family]);

function isGlobalUnicast(ip: Address): boolean {
  const isBroadcast = ip.family === 4 && ip.bits === 0xffffffffn;
  return ip.bits !== 0n && !isBroadcast && ![loopback, multicast, linkLocalUnicast].some((range) => within(range)(ip));
}

const addresses: Overload[] = [
  fn("ip(string)", "ip", (text: string) => address(text)),
  fn("isIP(string)", "bool", (text: string) => readAddress(text) !== undefined),
  fn("ip.isCanonical(string)", "bool", (text: string) => addressText(address(text)) === text),
  fn("string(ip)", "string", (ip: Address) => addressText(ip)),
  method("family(ip)", "int", (ip: Address) => BigInt(ip.family)),
  method("isUnspecified(ip)", "bool", (ip: Address) => ip.bits === 0n),
  method("isLoopback(ip)", "bool", within(loopback)),
  method("isLinkLocalMulticast(ip)", "bool", within(linkLocalMulticast)),
  method("isLinkLocalUnicast(ip)", "bool", within(linkLocalUnicast)),
  method("isGlobalUnicast(ip)", "bool", isGlobalUnicast),
];

const blocks: Overload[] = [
  fn("cidr(string)", "cidr", (text: string) => block(text)),
  fn("isCIDR(string)", "bool", (text: string) => readBlock(text) !== undefined),
  fn("string(cidr)", "string", (cidr: Block) => `${addressText(cidr.address)}/${cidr.length}`),
  method("containsIP(cidr, ip)", "bool", (cidr: Block, ip: Address) => cidr.contains(ip)),
  method("containsIP(cidr, string)", "bool", (cidr: Block, text: string) => cidr.contains(address(text))),
  method("containsCIDR(cidr, cidr)", "bool", (a: Block, b: Block) => b.length >= a.length && a.contains(b.address)),
  method("containsCIDR(cidr, string)", "bool", (a: Block, text: string) => {
    const b = block(text);
    return b.length >= a.length && a.contains(b.address);
  }),
  method("ip(cidr)", "ip", (cidr: Block) => cidr.address),
  method("masked(cidr)", "cidr", (cidr: Block) => cidr.masked()),
  method("prefixLength(cidr)", "int", (cidr: Block) => BigInt(cidr.length)),
];

/** The functions of this file. */
export const network: Overload[] = [...addresses, ...blocks];
