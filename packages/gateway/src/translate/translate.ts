// Kubernetes objects -> the proxy's routing table and the statuses to write. Pure: the same input gives the same output,
// nothing is changed, and nothing a user writes makes it throw; what is wrong becomes a condition.

import type { RoutingTable } from "@gatehouse/proxy/routing-table";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { type AttachedRoute, attachRoute, parentGateways } from "./attach.ts";
import { processGatewayClasses } from "./gateway-classes.ts";
import { type GatewayObjects, indexObjects, type ObjectIndex } from "./gateway-objects.ts";
import { type ProcessedGateway, processGateways } from "./gateways.ts";
import { translateHttpRoute } from "./http-routes.ts";
import { buildRoutingTable } from "./routing.ts";
import { desiredStatuses, type StatusUpdate } from "./statuses.ts";
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
  const routes = processHttpRoutes(objects, gateways, index);
  const table = buildRoutingTable(gateways, routes, options);
  const statuses = desiredStatuses(objects, classes, gateways, routes, options.controllerName);
  return { table, statuses, gateways, routes };
}

/** Routes that name a Gateway of ours. */
function processHttpRoutes(
  objects: GatewayObjects,
  gateways: readonly ProcessedGateway[],
  index: ObjectIndex,
): AttachedRoute[] {
  const byKey = new Map(gateways.map((processed) => [objectKey(processed.gateway), processed]));
  const attached: AttachedRoute[] = [];
  for (const route of objects.httpRoutes) {
    const parents = parentGateways(route, byKey);
    if (parents.length > 0) attached.push(attachRoute(translateHttpRoute(route, index), parents, index));
  }
  return attached;
}
