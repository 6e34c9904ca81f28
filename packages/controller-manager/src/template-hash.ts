// Hashes of pod templates: the names and labels of what is made from them.

import { safeEncode } from "@gatehouse/apimachinery/names";
import { canonical } from "./canonical-json.ts";

/**
 * A short, stable hash of a pod template: equal for templates that differ only in key order or in absent, null and
 * empty fields. `collisionCount` yields another hash for the same template when the first one's name is taken.
 */
export function templateHash(template: unknown, collisionCount = 0): string {
  return safeEncode(fnv1a(canonical(template) + (collisionCount > 0 ? `#${collisionCount}` : "")));
}

/** 32-bit FNV-1a over UTF-8. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
