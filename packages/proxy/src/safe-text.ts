// Paths and hosts of filters and checks come from configuration and end up in heads: what could end a line (or a request line's
// part) there would let whoever writes a route write further requests into connections that others share.

import { HOST } from "./http1/known-hosts.ts";
import { TARGET } from "./http1/tokens.ts";

/** The value unless it is no host; then it is left out, as header values that end lines are. */
export function hostOrNull(value: string): string | null {
  return HOST.test(value) ? value : null;
}

/** Bytes that a request target cannot hold are percent-encoded, of UTF-8. */
export function safeTarget(value: string): string {
  if (/^[!"$-~]*$/.test(value)) return value;
  return Array.from(Buffer.from(value), (byte) =>
    TARGET[byte] === 0 ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}` : String.fromCharCode(byte),
  ).join("");
}
