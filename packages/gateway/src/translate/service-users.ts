// Which Gateways lead to which Services, through whatever routes: the ancestors of policies for Services.

import type { AttachedRoute } from "./attach.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { referencedServices } from "./referenced-services.ts";

/** Gateways by `namespace/name` of Services, whether these exist or not. */
export type ServiceUsers = ReadonlyMap<string, ReadonlySet<ProcessedGateway>>;

export function usersOfServices(routes: readonly AttachedRoute[]): ServiceUsers {
  const users = new Map<string, Set<ProcessedGateway>>();
  for (const { translated, parents } of routes) {
    const gateways = parents.filter(({ accepted }) => accepted.status === "True").map(({ parent }) => parent.gateway);
    if (gateways.length === 0) continue;
    for (const key of referencedServices(translated.kind, translated.route)) {
      const present = users.get(key) ?? new Set();
      for (const gateway of gateways) present.add(gateway);
      users.set(key, present);
    }
  }
  return users;
}
