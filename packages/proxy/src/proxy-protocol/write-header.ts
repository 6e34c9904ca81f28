// The header that tells an endpoint whose connection it gets (PROXY protocol, see read-header.ts).

import { isIP } from "node:net";
import type { ProxiedAddresses } from "../connection-facts.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const UNKNOWN_V1 = "PROXY UNKNOWN\r\n";
/** A connection of our own, as for a health check (LOCAL). */
const LOCAL_V2 = `${SIGNATURE}${String.fromCharCode(0x20, 0, 0, 0)}`;

/** What a connection begins with, as Latin-1 text. Addresses of different families, or none, are said to be unknown; `null`:
 * it is nobody's but ours. */
export function proxyHeader(version: 1 | 2, addresses: ProxiedAddresses | null): string {
  if (addresses === null) return version === 1 ? UNKNOWN_V1 : LOCAL_V2;
  const [source, destination] = [addresses.sourceAddress, addresses.destinationAddress].map(withoutZone);
  const plain = { ...addresses, sourceAddress: source!, destinationAddress: destination! };
  const family = isIP(source!) === isIP(destination!) ? isIP(source!) : 0;
  return version === 1 ? line(plain, family) : binary(plain, family);
}

/** `fe80::1%eth0` is known by that name on this machine only. */
function withoutZone(address: string): string {
  return address.split("%")[0]!;
}

function line(addresses: ProxiedAddresses, family: number): string {
  if (family === 0) return UNKNOWN_V1;
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = addresses;
  return `PROXY TCP${family} ${sourceAddress} ${destinationAddress} ${sourcePort} ${destinationPort}\r\n`;
}

function binary(addresses: ProxiedAddresses, family: number): string {
  const size = family === 4 ? 4 : family === 6 ? 16 : 0;
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = addresses;
  const payload =
    size === 0
      ? []
      : [...addressBytes(sourceAddress), ...addressBytes(destinationAddress), ...ports(sourcePort, destinationPort)];
  const kind = family === 4 ? 0x11 : family === 6 ? 0x21 : 0x00;
  return `${SIGNATURE}${String.fromCharCode(0x21, kind, 0, payload.length, ...payload)}`;
}

function ports(...values: number[]): number[] {
  return values.flatMap((port) => [port >> 8, port & 255]);
}

/** 4 or 16 bytes of a valid address. */
function addressBytes(address: string): number[] {
  if (isIP(address) === 4) return address.split(".").map(Number);
  const plain = address.replace(/[\d.]+$/, (tail) => (tail.includes(".") ? dottedGroups(tail) : tail));
  const [before = "", after] = plain.split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return ports(...[...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16)));
}

/** `1.2.3.4` at the end of an IPv6 address as two groups. */
function dottedGroups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
