// What the translation needs to know besides the objects: the gateway's entrypoints, where Gateways are opened, and which
// Gateway API the cluster has.

import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";

/** A port of the gateway process that Gateways may use: what Traefik calls an entrypoint. */
export interface EntryPoint {
  name: string;
  port: number;
  /** Default `tcp`. */
  transport?: "tcp" | "udp";
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

/** The Gateway API as the cluster has it. */
export interface GatewayApi {
  /** The carried release whose fields and features it has. */
  release: "v1.4.0" | "v1.6.1";
  channel: "standard" | "experimental";
  /** Kinds that are served, e.g. `TLSRoute`. */
  kinds: ReadonlySet<string>;
  /** What is said of releases that are not carried; absent when all definitions are of known ones. */
  unsupported?: string;
}

export interface TranslateOptions {
  controllerName: string;
  api: GatewayApi;
  entryPoints: readonly EntryPoint[];
  /** Ports that are entrypoints' but not for Gateways, with the entrypoint's name. */
  reservedPorts: ReadonlyMap<number, string>;
  addressFor(gateway: Gateway): AddressAssignment;
  /** Whether Gateways get addresses of their own. */
  ownAddresses: boolean;
  /** Proxy listeners (by name) that could not be opened, and why. */
  listenerProblems: ReadonlyMap<string, string>;
}
