// HTTPRoutes and GRPCRoutes at one listener may not share a hostname: the older route stays (GRPCRouteSpec.hostnames).

import type { ListenerAttachment, ParentAttachment } from "./attach.ts";
import { fails } from "./conditions.ts";
import { anyHost } from "./hostnames.ts";
import type { ProcessedListener } from "./listeners.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";

/** A route among those of a listener. */
export interface Contender {
  kind: RouteKind;
  object: RouteObject;
  /** Lower for those that go first. */
  base: number;
}

/** The routes that may not attach, each with one that keeps it out. Who has lost keeps nobody out. */
export function losersAmong<C extends Contender>(
  claims: readonly { node: C; hostnames: readonly string[] }[],
): Map<C, C> {
  const losers = new Map<C, C>();
  const taken: Partial<Record<RouteKind, TakenHosts<C>>> = {};
  for (const { node, hostnames } of claims.toSorted((a, b) => a.node.base - b.node.base)) {
    const { kind } = node;
    if (kind !== "HTTPRoute" && kind !== "GRPCRoute") continue;
    const other = taken[kind === "HTTPRoute" ? "GRPCRoute" : "HTTPRoute"];
    const winner = other && hostnames.map((host) => other.ownerOf(host)).find((owner) => owner !== undefined);
    if (winner) losers.set(node, winner);
    else for (const host of hostnames) (taken[kind] ??= new TakenHosts()).add(host, node);
  }
  return losers;
}

/** Hosts of routes of one kind, asked for any that overlaps. */
class TakenHosts<C> {
  readonly #owners = new Map<string, C>();
  /** By wildcard, who has a host below it. */
  readonly #below = new Map<string, C>();

  add(host: string, owner: C): void {
    if (!this.#owners.has(host)) this.#owners.set(host, owner);
    for (const wildcard of wildcardsOver(host)) if (!this.#below.has(wildcard)) this.#below.set(wildcard, owner);
  }

  ownerOf(host: string): C | undefined {
    const same = this.#owners.get(host) ?? this.#below.get(host);
    if (same) return same;
    for (const wildcard of wildcardsOver(host)) {
      const owner = this.#owners.get(wildcard);
      if (owner) return owner;
    }
    return undefined;
  }
}

/** Wildcards that cover the host and are wider: `*.b.c`, `*.c` and `*` for `a.b.c`, the latter two for `*.b.c`. */
function wildcardsOver(host: string): string[] {
  if (host === anyHost) return [];
  const wildcards = [anyHost];
  const labels = host.split(".");
  for (let at = host.startsWith("*.") ? 2 : 1; at < labels.length; at++) {
    wildcards.push(`*.${labels.slice(at).join(".")}`);
  }
  return wildcards;
}

/** `parent` without listeners at which the route has lost; `winnerAt` names the other one there. */
export function withoutLost(
  parent: ParentAttachment,
  winnerAt: (listener: ProcessedListener) => Contender | undefined,
): ParentAttachment {
  const isKept = ({ listener }: ListenerAttachment): boolean => !winnerAt(listener);
  const listeners = parent.listeners.filter(isKept);
  const [first] = parent.listeners;
  if (listeners.length === parent.listeners.length || !first) return parent;
  if (listeners.length > 0) return { ...parent, listeners };
  const winner = winnerAt(first.listener);
  const { namespace, name } = winner?.object.metadata ?? { name: "" };
  const message =
    `hostnames of this route belong to ${winner?.kind} "${namespace}/${name}", which goes first; HTTPRoutes and ` +
    `GRPCRoutes cannot share them: change spec.hostnames of one`;
  return { ...parent, listeners, accepted: fails("Accepted", "HostnameConflict", message) };
}
