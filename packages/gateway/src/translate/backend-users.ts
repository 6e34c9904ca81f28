// Which Gateways lead to which backends, through whatever routes: the ancestors of policies for them.

import type { AttachedRoute } from "./attach.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { referencedBackends } from "./referenced-backends.ts";

/** Gateways by `backendKey`, whether the backends exist or not. */
export type BackendUsers = ReadonlyMap<string, ReadonlySet<ProcessedGateway>>;

export function usersOfBackends(routes: readonly AttachedRoute[]): BackendUsers {
  const users = new Map<string, Set<ProcessedGateway>>();
  for (const { translated, parents } of routes) {
    const gateways = parents.filter(({ accepted }) => accepted.status === "True").map(({ parent }) => parent.gateway);
    if (gateways.length === 0) continue;
    for (const key of referencedBackends(translated.kind, translated.route)) {
      const present = users.get(key) ?? new Set();
      for (const gateway of gateways) present.add(gateway);
      users.set(key, present);
    }
  }
  return users;
}
