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

/** What a host is kept in place of is the one before that fell on its slot. */
const SLOTS = 8192;
const slots: (KnownHost | undefined)[] = Array.from({ length: SLOTS });
/** Longer ones are not worth remembering: no name is (RFC 1035 section 2.3.4). */
const LONGEST = 261;

/** The host text[start, end), null when it is none. */
export function knownHost(text: string, start: number, end: number): KnownHost | null {
  if (start === end) return NO_HOST;
  let hash = 0;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
  const known = slots[slot];
  if (known !== undefined && isAt(text, start, end - start, known.text)) return known;
  const sent = text.slice(start, end);
  if (!HOST.test(sent)) return null;
  const host = latin1Copy(sent);
  const bare = bareHost(host);
  const learned = { text: host, bare: bare === host ? host : latin1Copy(bare) };
  if (host.length <= LONGEST) slots[slot] = learned;
  return learned;
}

function isAt(text: string, start: number, length: number, wanted: string): boolean {
  if (wanted.length !== length) return false;
  for (let at = 0; at < length; at++) if (text.charCodeAt(start + at) !== wanted.charCodeAt(at)) return false;
  return true;
}
