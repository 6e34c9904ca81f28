// What routes of all kinds have in common: where they attach, and what their status looks like.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { RouteStatus } from "@gatehouse/gateway-api/common-route";
import type { ParentReference } from "@gatehouse/gateway-api/references";

export type RouteKind = "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute";

/** Any route, seen without what is particular to its kind. */
export interface RouteObject extends KubeObject {
  spec: {
    parentRefs?: ParentReference[];
    useDefaultGateways?: "All" | "None";
    /** Of HTTPRoute, GRPCRoute and TLSRoute. */
    hostnames?: string[];
  };
  status?: RouteStatus;
}

/** The protocols of listeners that take a kind (GatewaySpec.listeners, and the kinds' own documentation). */
export const protocolsOfKind: Readonly<Record<RouteKind, readonly string[]>> = {
  HTTPRoute: ["HTTP", "HTTPS"],
  GRPCRoute: ["HTTP", "HTTPS"],
  TLSRoute: ["TLS"],
  TCPRoute: ["TCP"],
  UDPRoute: ["UDP"],
};

/** In the order in which they are listed for people. */
export const routeKinds = Object.keys(protocolsOfKind) as RouteKind[];

/** Kinds whose hostnames select requests by name. */
export const hasHostnames = (kind: RouteKind): boolean => kind !== "TCPRoute" && kind !== "UDPRoute";
