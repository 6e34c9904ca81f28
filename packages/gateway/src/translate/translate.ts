// Kubernetes objects -> the proxy's routing table and the statuses to write. Pure: the same input gives the same output,
// nothing is changed, and nothing a user writes makes it throw; what is wrong becomes a condition.

import type { RoutingTable } from "@gatehouse/proxy/routing-table";
import { type AttachedRoute, attachRoute } from "./attach.ts";
import { desiredStatuses } from "./desired-statuses.ts";
import { processGatewayClasses } from "./gateway-classes.ts";
import { type GatewayObjects, indexObjects, type ObjectIndex } from "./gateway-objects.ts";
import { type ProcessedGateway, processGateways } from "./gateways.ts";
import { type Parents, parentsOf, parentsOfRoute } from "./parents.ts";
import { resolveRouteConflicts } from "./route-conflicts.ts";
import { routesOfObjects } from "./routes-of-objects.ts";
import { buildRoutingTable } from "./routing.ts";
import type { StatusUpdate } from "./statuses.ts";
import { translateRoute } from "./translated-route.ts";
import type { TranslateOptions } from "./translate-options.ts";

export interface Translation {
  table: RoutingTable;
  statuses: StatusUpdate[];
  /** The intermediate results, for views of them. */
  gateways: readonly ProcessedGateway[];
  routes: readonly AttachedRoute[];
}

export function translate(objects: GatewayObjects, options: TranslateOptions): Translation {
  const index = indexObjects(objects);
  const classes = processGatewayClasses(objects, options);
  const gateways = processGateways(objects, classes, index, options);
  const routes = resolveRouteConflicts(processRoutes(objects, parentsOf(gateways), index));
  const table = buildRoutingTable(gateways, routes, index, options);
  const statuses = desiredStatuses(objects, { classes, gateways, routes }, index, options);
  return { table, statuses, gateways, routes };
}

/** Routes that name a parent of ours. */
function processRoutes(objects: GatewayObjects, parents: Parents, index: ObjectIndex): AttachedRoute[] {
  const attached: AttachedRoute[] = [];
  for (const { kind, route } of routesOfObjects(objects)) {
    const own = parentsOfRoute(route, parents);
    if (own.length > 0) attached.push(attachRoute(translateRoute(kind, route, index), own, index));
  }
  return attached;
}
