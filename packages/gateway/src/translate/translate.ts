// Kubernetes objects -> the proxy's routing table and the statuses to write. Pure: the same input gives the same output,
// nothing is changed, and nothing a user writes makes it throw; what is wrong becomes a condition.

import type { RoutingTable } from "@gatehouse/proxy/routing-table";
import { objectKey } from "@gatehouse/apimachinery/meta";
import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import { type AttachedRoute, attachRoute, parentGateways } from "./attach.ts";
import { processGatewayClasses } from "./gateway-classes.ts";
import { type GatewayObjects, indexObjects, type ObjectIndex } from "./gateway-objects.ts";
import { type ProcessedGateway, processGateways } from "./gateways.ts";
import { translateHttpRoute } from "./http-routes.ts";
import { buildRoutingTable } from "./routing.ts";
import { desiredStatuses, type StatusUpdate } from "./statuses.ts";

/** A port of the gateway process that Gateways may use: what Traefik calls an entrypoint. */
export interface EntryPoint {
  name: string;
  port: number;
  addresses: { host: string; port: number }[];
  /** CIDRs whose X-Forwarded-* headers are believed. */
  trustedProxies?: string[];
}

/** The addresses of a Gateway. */
export interface AddressAssignment {
  /** For its status. */
  addresses: GatewayStatusAddress[];
  /** Those to listen on for this Gateway alone; empty where the host has no spare addresses. */
  hosts: string[];
  problem?: { reason: "UnsupportedAddress" | "AddressNotUsable" | "AddressNotAssigned"; message: string };
}

export interface TranslateOptions {
  controllerName: string;
  entryPoints: readonly EntryPoint[];
  /** Ports that are entrypoints' but not for Gateways, with the entrypoint's name. */
  reservedPorts: ReadonlyMap<number, string>;
  addressFor(gateway: Gateway): AddressAssignment;
  /** Whether Gateways get addresses of their own. */
  ownAddresses: boolean;
  /** Proxy listeners (by name) that could not be opened, and why. */
  listenerProblems: ReadonlyMap<string, string>;
}

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
