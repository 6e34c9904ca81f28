// Listeners of one Gateway that cannot be told apart (GatewaySpec.listeners, "Distinct Listeners"; GEP-1713, "Listener
// Precedence"): within one object all that are concerned lose, between objects those of the later one.

import type { Listener } from "@gatehouse/gateway-api/listener";
import { anyHost, overlap } from "./hostnames.ts";

export interface Conflict {
  reason: "ProtocolConflict" | "HostnameConflict";
  message: string;
}

/** What a listener takes of its port. */
type Family = "HTTP" | "TLS" | "TCP" | "UDP";

const families: Readonly<Record<string, Family>> = { HTTP: "HTTP", HTTPS: "TLS", TLS: "TLS", TCP: "TCP", UDP: "UDP" };

export const familyOf = (protocol: string): Family | undefined =>
  Object.hasOwn(families, protocol) ? families[protocol] : undefined;

/** The name a listener goes by: lower-case, `*` for all. Protocols without names ignore the field. */
export function hostnameOf({ hostname, protocol }: Pick<Listener, "hostname" | "protocol">): string {
  const family = familyOf(protocol);
  return hostname && family !== "TCP" && family !== "UDP" ? hostname.toLowerCase() : anyHost;
}

/** By listener; `objects` are the Gateway's listeners, then those of each of its listener sets in their precedence. */
export function findConflicts(objects: readonly (readonly Listener[])[]): Map<Listener, Conflict> {
  const conflicts = new Map<Listener, Conflict>();
  const earlier: Listener[] = [];
  for (const listeners of objects) {
    const remaining = listeners.filter((listener) => {
      const claimed = firstConflict(listener, earlier);
      if (!claimed) return true;
      // Whose listener that is may be none of the reader's business.
      const what = "a listener of the Gateway or of an older listener set";
      conflicts.set(listener, { reason: claimed.reason, message: describe(what, claimed, listener) });
      return false;
    });
    for (const listener of remaining) {
      const others = remaining.filter((other) => other !== listener);
      const conflict = firstConflict(listener, others);
      if (!conflict) continue;
      const message = describe(`listener "${conflict.other.name}"`, conflict, listener);
      conflicts.set(listener, { reason: conflict.reason, message });
    }
    earlier.push(...remaining);
  }
  return conflicts;
}

interface Found {
  other: Listener;
  reason: Conflict["reason"];
}

function describe(what: string, { other, reason }: Found, { port }: Listener): string {
  if (reason === "HostnameConflict") {
    return `${what} has the same port ${port} and hostname: change the hostname or port of one`;
  }
  return `${what} speaks ${other.protocol} on the same port ${port}: change the port of one`;
}

function firstConflict(listener: Listener, others: readonly Listener[]): Found | undefined {
  for (const wanted of ["ProtocolConflict", "HostnameConflict"] as const) {
    const other = others.find((each) => conflictBetween(listener, each) === wanted);
    if (other) return { other, reason: wanted };
  }
  return undefined;
}

/** TLS and HTTPS share a port as long as names keep them apart; TCP and UDP take all of theirs, but are two ports. */
function conflictBetween(a: Listener, b: Listener): Conflict["reason"] | undefined {
  const [familyA, familyB] = [familyOf(a.protocol), familyOf(b.protocol)];
  if (a.port !== b.port || !familyA || !familyB || (familyA === "UDP") !== (familyB === "UDP")) return undefined;
  if (familyA !== familyB || familyA === "TCP" || familyA === "UDP") return "ProtocolConflict";
  return hostnameOf(a) === hostnameOf(b) ? "HostnameConflict" : undefined;
}

/** For a listener with TLS: another one of its port whose names are partly the same (ListenerConditionOverlappingTLSConfig). */
export function overlappingListener(listener: Listener, all: readonly Listener[]): Listener | undefined {
  if (familyOf(listener.protocol) !== "TLS") return undefined;
  return all.find(
    (other) =>
      other !== listener &&
      other.port === listener.port &&
      familyOf(other.protocol) === "TLS" &&
      overlap(hostnameOf(listener), hostnameOf(other)),
  );
}
