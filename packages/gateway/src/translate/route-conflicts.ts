// HTTPRoutes and GRPCRoutes at one listener may not share a hostname: the older route stays (GRPCRouteSpec.hostnames).

import { fails } from "./conditions.ts";
import { compareAge } from "./order.ts";
import { covers } from "./hostnames.ts";
import type { AttachedRoute, ListenerAttachment, ParentAttachment } from "./attach.ts";
import type { ProcessedListener } from "./listeners.ts";
import type { RouteKind } from "./route-kinds.ts";

/** The routes with what remains of their attachments. Those that lose nothing are the same objects. */
export function resolveRouteConflicts(routes: readonly AttachedRoute[]): AttachedRoute[] {
  const lost = new Map<AttachedRoute, Map<ProcessedListener, AttachedRoute>>();
  for (const [listener, claims] of claimsOfMixedListeners(routes)) {
    for (const [loser, winner] of losersAt(claims)) {
      const at = lost.get(loser) ?? new Map<ProcessedListener, AttachedRoute>();
      lost.set(loser, at.set(listener, winner));
    }
  }
  return routes.map((attached) => {
    const at = lost.get(attached);
    return at ? { ...attached, parents: attached.parents.map((parent) => withoutLost(parent, at)) } : attached;
  });
}

interface Claim {
  attached: AttachedRoute;
  hostnames: readonly string[];
}

/** By listeners that have routes of both kinds. */
function claimsOfMixedListeners(routes: readonly AttachedRoute[]): Map<ProcessedListener, Claim[]> {
  const claims = new Map<ProcessedListener, Claim[]>();
  for (const attached of routes) {
    if (!isConcerned(attached.translated.kind)) continue;
    for (const { listener, hostnames } of attached.parents.flatMap((parent) => parent.listeners)) {
      const present = claims.get(listener);
      if (present) present.push({ attached, hostnames });
      else claims.set(listener, [{ attached, hostnames }]);
    }
  }
  for (const [listener, [first, ...rest]] of claims) {
    const kind = first?.attached.translated.kind;
    if (rest.every((claim) => claim.attached.translated.kind === kind)) claims.delete(listener);
  }
  return claims;
}

const isConcerned = (kind: RouteKind): boolean => kind === "HTTPRoute" || kind === "GRPCRoute";

/** In order of age; who has lost takes nothing from others. */
function losersAt(claims: readonly Claim[]): Map<AttachedRoute, AttachedRoute> {
  const losers = new Map<AttachedRoute, AttachedRoute>();
  const taken: Partial<Record<RouteKind, TakenHosts>> = {};
  const byAge = [...claims].sort((a, b) => compareAge(a.attached.translated.route, b.attached.translated.route));
  for (const { attached, hostnames } of byAge) {
    const { kind } = attached.translated;
    const other = taken[kind === "HTTPRoute" ? "GRPCRoute" : "HTTPRoute"];
    const winner = other && hostnames.map((host) => other.ownerOf(host)).find((owner) => owner !== undefined);
    if (winner) losers.set(attached, winner);
    else for (const host of hostnames) (taken[kind] ??= new TakenHosts()).add(host, attached);
  }
  return losers;
}

/** Hosts of routes of one kind, asked for any that overlaps. */
class TakenHosts {
  readonly #exact = new Map<string, AttachedRoute>();
  readonly #wildcards = new Map<string, AttachedRoute>();

  add(host: string, owner: AttachedRoute): void {
    const hosts = host.startsWith("*") ? this.#wildcards : this.#exact;
    if (!hosts.has(host)) hosts.set(host, owner);
  }

  ownerOf(host: string): AttachedRoute | undefined {
    const same = this.#exact.get(host) ?? this.#wildcards.get(host);
    if (same) return same;
    for (const [wildcard, owner] of this.#wildcards) {
      if (covers(wildcard, host) || covers(host, wildcard)) return owner;
    }
    if (!host.startsWith("*")) return undefined;
    for (const [name, owner] of this.#exact) if (covers(host, name)) return owner;
    return undefined;
  }
}

function withoutLost(parent: ParentAttachment, lost: ReadonlyMap<ProcessedListener, AttachedRoute>): ParentAttachment {
  const isKept = ({ listener }: ListenerAttachment): boolean => !lost.has(listener);
  const listeners = parent.listeners.filter(isKept);
  if (listeners.length > 0 || parent.listeners.length === 0) return { ...parent, listeners };
  const first = parent.listeners[0];
  const winner = first && lost.get(first.listener)?.translated;
  const what = winner
    ? `${winner.kind} "${winner.route.metadata.namespace}/${winner.route.metadata.name}"`
    : "another route";
  const message =
    `hostnames of this route belong to ${what}, which is older; HTTPRoutes and GRPCRoutes cannot share them: ` +
    `change spec.hostnames of one`;
  return { ...parent, listeners, accepted: fails("Accepted", "HostnameConflict", message) };
}
