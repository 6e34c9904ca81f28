// What the translation needs to know besides the objects: the gateway's entrypoints, where Gateways are opened, and which
// Gateway API the cluster has.

import type { GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";

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

/** The addresses of an IPv4 CIDR that a listener may take: none ends in .0 or .255. */
export interface AddressPool {
  readonly cidr: string;
  readonly size: number;
  at(position: number): string;
  includes(address: string): boolean;
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
  api: GatewayApi;
  entryPoints: readonly EntryPoint[];
  /** Ports that are entrypoints' but not for Gateways, with the entrypoint's name. */
  reservedPorts: ReadonlyMap<number, string>;
  /** Where Gateways' own addresses come from; absent where the host has none to spare. */
  pool?: AddressPool;
  /** What Gateways say as address without a pool. */
  sharedAddresses: readonly GatewayStatusAddress[];
  /** Proxy listeners (by name) that could not be opened, and why. */
  listenerProblems: ReadonlyMap<string, string>;
}
