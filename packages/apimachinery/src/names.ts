// Generated names and name suffixes as Kubernetes makes them (apimachinery util/rand): letters that spell no words and
// read apart.

import { randomInt } from "node:crypto";

const alphabet = "bcdfghjklmnpqrstvwxz2456789";
/** Kubernetes' limit for the stem of a generated name: 63 less the suffix (apiserver/pkg/storage/names). */
const stemLength = 58;

/** `stem` (which ends in `-`) and five random letters, at most 63 characters. */
export function generatedName(stem: string): string {
  const letters = Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return stem.slice(0, stemLength) + letters;
}

/** Each digit of `number` as a letter, always the same one. */
export function safeEncode(number: number): string {
  return String(number).replace(/./g, (digit) => alphabet[digit.charCodeAt(0) % alphabet.length] ?? "");
}
