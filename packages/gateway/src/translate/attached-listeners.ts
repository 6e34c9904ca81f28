// Listeners with the routes they took.

import type { AttachedRoute } from "./attach.ts";
import { servedThrough, type ServedRoute } from "./client-certificates.ts";
import type { ProcessedListener } from "./listeners.ts";
import { compareAge, routeOrder } from "./order.ts";

/** A listener with the routes it took, the oldest first. */
export interface AttachedListener {
  listener: ProcessedListener;
  routes: AttachedHosts[];
}

export interface AttachedHosts {
  hostnames: readonly string[];
  served: ServedRoute;
}

/** The routes each listener serves, ordered among each other by the age of their objects. */
export function attachedListeners(routes: readonly AttachedRoute[]): Map<ProcessedListener, AttachedHosts[]> {
  const attached = new Map<ProcessedListener, AttachedHosts[]>();
  const byAge = [...routes].sort((a, b) => compareAge(a.translated.route, b.translated.route));
  for (const [rank, { translated, parents }] of byAge.entries()) {
    const first = routeOrder(rank);
    const ordered = {
      ...translated,
      routes: translated.routes.map((each) => ({ ...each, order: first + each.order })),
    };
    for (const { parent, listeners } of parents) {
      const served = servedThrough(ordered, parent.gateway);
      for (const { listener, hostnames } of listeners) {
        if (!listener.routable) continue;
        const present = attached.get(listener);
        if (present) present.push({ hostnames, served });
        else attached.set(listener, [{ hostnames, served }]);
      }
    }
  }
  return attached;
}
