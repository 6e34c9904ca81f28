// Hosts that were asked for lately. Most requests are for one of few: a host that is known is neither checked nor copied again,
// and tables keyed by it find its hash computed.

import { latin1Copy } from "../io/latin1.ts";
import { bareHost } from "../match/hostname.ts";

/** uri-host [":" port] without userinfo (RFC 9112 section 3.2); an IPv6 literal in brackets. */
export const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=%]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;

export interface KnownHost {
  /** As sent, with its port if there was one. */
  text: string;
  /** As hosts are looked up. */
  bare: string;
}

export const NO_HOST: KnownHost = { text: "", bare: "" };

const SLOTS = 256;
const slots: (KnownHost | undefined)[] = Array.from({ length: SLOTS });
/** Longer ones are not worth remembering: no name is (RFC 1035 section 2.3.4). */
const LONGEST = 261;

/** The host text[start, end), null when it is none. */
export function knownHost(text: string, start: number, end: number): KnownHost | null {
  const length = end - start;
  if (length === 0) return NO_HOST;
  const last = text.charCodeAt(end - 1);
  const slot = (Math.imul(length, 37) + Math.imul(text.charCodeAt(start), 7) + Math.imul(last, 3)) & (SLOTS - 1);
  const known = slots[slot];
  if (known !== undefined && isAt(text, start, length, known.text)) return known;
  const host = latin1Copy(text.slice(start, end));
  if (!HOST.test(host)) return null;
  const learned = { text: host, bare: latin1Copy(bareHost(host)) };
  if (length <= LONGEST) slots[slot] = learned;
  return learned;
}

function isAt(text: string, start: number, length: number, wanted: string): boolean {
  if (wanted.length !== length) return false;
  for (let at = 0; at < length; at++) if (text.charCodeAt(start + at) !== wanted.charCodeAt(at)) return false;
  return true;
}
