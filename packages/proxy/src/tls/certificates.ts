// The certificates a listener can show, each loaded once. One that cannot be read leaves the one before it in use.

import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { HostIndex } from "../match/hostname.ts";
import type { TlsTermination } from "../routing-table.ts";

type Pair = TlsTermination["certificates"][number];

export interface LoadedPair {
  pair: Pair;
  context: SecureContext;
}

export interface Certificates {
  /** For clients that name nothing we know; null when there is not one usable certificate. */
  fallback: LoadedPair | null;
  /** By the name the client asks for. */
  byName: HostIndex<LoadedPair>;
  loaded: LoadedPair[];
}

export const NO_CERTIFICATES: Certificates = { fallback: null, byName: new HostIndex(), loaded: [] };

/** Loads what `previous` does not have already; contexts have `common` beside their certificate, and `previous` must have
 * been made with the same. Where a pair cannot be read (or does not fit together), what its names had before stays, and
 * `problems` tells which and why. */
export function loadCertificates(
  pairs: readonly Pair[],
  common: SecureContextOptions,
  previous: Certificates,
): { certificates: Certificates; problems: Error[] } {
  const known = new Map(previous.loaded.map((each) => [pairKey(each.pair), each.context]));
  const problems: Error[] = [];
  const loaded: LoadedPair[] = [];
  for (const pair of pairs) {
    try {
      const context =
        known.get(pairKey(pair)) ?? createSecureContext({ ...common, cert: pair.certificate, key: pair.key });
      known.set(pairKey(pair), context);
      loaded.push({ pair, context });
    } catch (error) {
      problems.push(unreadable(pair, error));
      loaded.push(...heldBefore(pair, previous));
    }
  }
  if (loaded.length === 0 && problems.length > 0) loaded.push(...previous.loaded);
  const byName = new HostIndex<LoadedPair>();
  for (const each of loaded)
    for (const hostname of each.pair.hostnames) if (hostname !== "*") byName.set(hostname, each);
  return { certificates: { fallback: loaded[0] ?? null, byName, loaded }, problems };
}

function pairKey({ certificate, key }: Pair): string {
  return `${certificate}\n${key}`;
}

/** What served the names of an unreadable pair until now, limited to these names. */
function heldBefore(pair: Pair, previous: Certificates): LoadedPair[] {
  const names = namesOf(pair);
  return previous.loaded.flatMap((each): LoadedPair[] => {
    const hostnames = namesOf(each.pair).filter((hostname) => names.includes(hostname));
    return hostnames.length > 0 ? [{ ...each, pair: { ...each.pair, hostnames } }] : [];
  });
}

/** A pair without names can only be the default. */
function namesOf({ hostnames }: Pair): string[] {
  return hostnames.length > 0 ? hostnames : ["*"];
}

function unreadable({ hostnames }: Pair, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const error = new Error(`certificate for ${hostnames.join(", ") || "any name"}: ${message}`, { cause });
  return Object.assign(error, { code: code ?? "EUNKNOWN" });
}
