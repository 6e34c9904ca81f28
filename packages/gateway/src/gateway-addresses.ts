// Addresses for Gateways: each gets one of its own out of a CIDR of loopback addresses, always the same for its name
// when it is free, and keeps it. Pure: who has which address is read from the Gateways themselves.

import { objectKey } from "@gatehouse/apimachinery/meta";
import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import { compareAge } from "./translate/order.ts";
import type { AddressAssignment, AddressPool } from "./translate/translate-options.ts";

/** Throws an Error for text that is no IPv4 CIDR with a prefix of at most 24 bits. */
export function parseAddressPool(cidr: string): AddressPool {
  const [, base = "", bits = ""] = /^([0-9.]+)\/([0-9]+)$/.exec(cidr) ?? [];
  const first = toNumber(base);
  const prefix = Number(bits);
  if (first === undefined || !(prefix >= 8 && prefix <= 24))
    throw new Error(`"${cidr}" is not an IPv4 CIDR such as 127.30.224.0/19`);
  const blocks = 2 ** (24 - prefix);
  const start = first - (first % (blocks * 256));
  return {
    cidr,
    size: blocks * usablePerBlock,
    at: (position) => toText(start + Math.floor(position / usablePerBlock) * 256 + 1 + (position % usablePerBlock)),
    includes: (address) => {
      const number = toNumber(address);
      if (number === undefined || number < start || number >= start + blocks * 256) return false;
      return number % 256 !== 0 && number % 256 !== 255;
    },
  };
}

const usablePerBlock = 254;

/**
 * The address of every Gateway. Without a pool all share `shared` (the pod's address, or what `statusaddress` flags say).
 * Precedence: who already has an address, then who asks for one, then the rest; the older first.
 */
export function assignAddresses(
  gateways: Iterable<Gateway>,
  pool: AddressPool | undefined,
  shared: readonly GatewayStatusAddress[],
): Map<string, AddressAssignment> {
  const byAge = [...gateways].sort(compareAge);
  if (!pool) return new Map(byAge.map((gateway) => [objectKey(gateway), assignShared(gateway, shared)]));
  const taken = new Map<string, string>();
  for (const gateway of byAge) keepAddress(gateway, pool, taken);
  const problems = new Map<Gateway, AddressAssignment>();
  for (const gateway of byAge) {
    const problem = unsupportedType(gateway) ?? reserveRequested(gateway, pool, taken);
    if (problem) problems.set(gateway, problem);
  }
  return new Map(
    byAge.map((gateway) => [objectKey(gateway), problems.get(gateway) ?? assignAll(gateway, pool, taken)]),
  );
}

/** Requests for a particular address; one without a value asks for any. */
function requestsOf({ spec }: Gateway): string[] {
  return (spec.addresses ?? []).flatMap(({ type = "IPAddress", value }) =>
    type === "IPAddress" && value ? [value] : [],
  );
}

function unsupportedType({ spec }: Gateway): AddressAssignment | undefined {
  const other = spec.addresses?.find(({ type = "IPAddress" }) => type !== "IPAddress");
  if (!other) return undefined;
  const message = `spec.addresses asks for type ${other.type}, which is not supported: use type IPAddress or remove it`;
  return { addresses: [], hosts: [], problem: { reason: "UnsupportedAddress", message } };
}

/** How many addresses the Gateway wants that it does not name: one for each entry without a value (GatewaySpecAddress.value),
 * and one when it says nothing. */
function unnamedOf({ spec }: Gateway): number {
  const addresses = spec.addresses ?? [];
  return addresses.length === 0 ? 1 : addresses.filter(({ value }) => !value).length;
}

function keepAddress(gateway: Gateway, pool: AddressPool, taken: Map<string, string>): void {
  const requests = requestsOf(gateway);
  let unnamed = unnamedOf(gateway);
  for (const { value } of gateway.status?.addresses ?? []) {
    if (value === undefined || !pool.includes(value) || taken.has(value)) continue;
    if (requests.includes(value) || unnamed-- > 0) taken.set(value, objectKey(gateway));
  }
}

/** What stands in the way of an address that the Gateway names. */
function reserveRequested(
  gateway: Gateway,
  pool: AddressPool,
  taken: Map<string, string>,
): AddressAssignment | undefined {
  const key = objectKey(gateway);
  const requests = requestsOf(gateway);
  for (const value of requests) {
    const owner = taken.get(value);
    if (owner !== undefined && owner !== key) return notUsable(value, `it belongs to Gateway "${owner}"`);
    if (!pool.includes(value)) return notUsable(value, `Gateways get addresses of ${pool.cidr}`);
  }
  for (const value of requests) taken.set(value, key);
  return undefined;
}

function assignAll(gateway: Gateway, pool: AddressPool, taken: Map<string, string>): AddressAssignment {
  const hosts = requestsOf(gateway);
  for (let unnamed = unnamedOf(gateway); unnamed > 0; unnamed--) {
    const value = freeAddress(objectKey(gateway), hosts, pool, taken);
    if (value === undefined) {
      const message = `all ${pool.size} addresses of ${pool.cidr} are taken: delete a Gateway that is no longer needed`;
      return { addresses: [], hosts: [], problem: { reason: "AddressNotAssigned", message } };
    }
    hosts.push(value);
  }
  return { addresses: hosts.map(ipAddress), hosts };
}

function notUsable(value: string, why: string): AddressAssignment {
  const message = `address ${value} of spec.addresses cannot be used, because ${why}: choose another or remove it`;
  return { addresses: [], hosts: [], problem: { reason: "AddressNotUsable", message } };
}

/** One the Gateway has already, else the first free one of those that its name leads to. It is taken then. */
function freeAddress(
  key: string,
  used: readonly string[],
  pool: AddressPool,
  taken: Map<string, string>,
): string | undefined {
  for (const [value, owner] of taken) if (owner === key && !used.includes(value)) return value;
  const start = hash(key) % pool.size;
  for (let step = 0; step < pool.size; step++) {
    const value = pool.at((start + step) % pool.size);
    if (taken.has(value)) continue;
    taken.set(value, key);
    return value;
  }
  return undefined;
}

function assignShared(gateway: Gateway, shared: readonly GatewayStatusAddress[]): AddressAssignment {
  const wrongType = unsupportedType(gateway);
  if (wrongType) return wrongType;
  const foreign = requestsOf(gateway).find((value) => !shared.some((address) => address.value === value));
  if (foreign !== undefined) return notUsable(foreign, "this machine has no addresses to give to Gateways");
  return { addresses: [...shared], hosts: [] };
}

const ipAddress = (value: string): GatewayStatusAddress => ({ type: "IPAddress", value });

function toNumber(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + part, 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
