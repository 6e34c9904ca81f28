// Names and hashes as Kubernetes makes them: letters that spell no words and read apart.

import { randomInt } from "node:crypto";

const alphabet = "bcdfghjklmnpqrstvwxz2456789";
/** Kubernetes' limit for the stem of a generated name: 63 less the suffix (apiserver/pkg/storage/names). */
const stemLength = 58;

/** `stem` (which ends in `-`) and five random letters, at most 63 characters. */
export function generatedName(stem: string): string {
  const letters = Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return stem.slice(0, stemLength) + letters;
}

/**
 * A short, stable hash of a pod template: equal for templates that differ only in key order or in absent, null and
 * empty fields. `collisionCount` yields another hash for the same template when the first one's name is taken.
 */
export function templateHash(template: unknown, collisionCount = 0): string {
  const text = canonical(template) + (collisionCount > 0 ? `#${collisionCount}` : "");
  return String(fnv1a(text)).replace(/./g, (digit) => alphabet[digit.charCodeAt(0) % alphabet.length] ?? "");
}

/** JSON with sorted keys, without null, empty objects and empty lists: how two stored templates are compared. */
export function canonical(value: unknown): string {
  return JSON.stringify(pruned(value)) ?? "null";
}

function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => pruned(item) ?? null);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, child]) => [key, pruned(child)] as const)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** 32-bit FNV-1a over UTF-8. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
