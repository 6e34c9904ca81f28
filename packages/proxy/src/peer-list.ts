// Peers by address: whom a listener believes, or expects something of.

import { BlockList, isIP } from "node:net";

/** CIDRs or single addresses; what is neither is nobody. Null when nobody is meant. */
export function compilePeers(entries: readonly string[]): BlockList | null {
  const list = new BlockList();
  let any = false;
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address);
    const longest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family === 0 || prefix < 0 || prefix > longest) continue;
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
    any = true;
  }
  return any ? list : null;
}

/** `address`: without an IPv4-mapped prefix. */
export function isListed(list: BlockList | null, address: string): boolean {
  return list !== null && list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
