// What a request is hashed by where a service wants equal requests at equal endpoints.

import type { ClientFacts } from "../forwarding-fields.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { HashKey } from "../routing-table.ts";
import { hashText } from "../upstream/consistent-hash.ts";

/** A 32-bit number; any for a request without the header or cookie. */
export function hashOf(by: HashKey, head: RequestHead, { address }: ClientFacts): number {
  const key =
    by.source === "address"
      ? address
      : by.source === "header"
        ? head.get(by.name.toLowerCase())
        : cookie(head, by.name);
  return key === undefined || key === "" ? Math.floor(Math.random() * 2 ** 32) : hashText(key);
}

/** The first cookie of that name. */
function cookie(head: RequestHead, name: string): string | undefined {
  for (const part of head.get("cookie")?.split(/[;,]/) ?? []) {
    const pair = part.trim();
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return undefined;
}
