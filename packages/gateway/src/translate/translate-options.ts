// What the translation needs to know besides the objects: the gateway's entrypoints, and where Gateways are opened.

import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";

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
