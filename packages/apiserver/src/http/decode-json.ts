// JSON from clients, with the depth limit that keeps recursive validation from exhausting the stack.

import { badRequest } from "@gatehouse/apimachinery/status-error";

/** Deeper trees would exhaust the stack of recursive validation; no real object comes near. */
export const maxJsonDepth = 256;

/** The value. Throws 400 for what is not JSON or too deep. */
export function decodeJson(bytes: Buffer): unknown {
  checkDepth(bytes);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw badRequest(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

const quote = 0x22;
const backslash = 0x5c;

function checkDepth(bytes: Buffer): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (inString) {
      if (byte === backslash) index++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxJsonDepth) throw badRequest(`the body is nested deeper than ${maxJsonDepth} levels`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}
