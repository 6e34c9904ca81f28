// What is known of a connection when it is handed over, before its first request: what TLS and the PROXY protocol said.

import type { X509Certificate } from "node:crypto";

export interface ConnectionFacts {
  tls: boolean;
  /** What the client's TLS connection asked for (SNI), lower case; null without. */
  serverName: string | null;
  /** Null when none was asked for or shown. */
  clientCertificate: ClientCertificate | null;
  /** Null: the socket's own addresses are the true ones. */
  proxied: ProxiedAddresses | null;
}

export interface ClientCertificate {
  certificate: X509Certificate;
  /** Signed by one of the listener's authorities and valid now. */
  verified: boolean;
}

/** The connection a proxy in front of us accepted, as its PROXY header says. Addresses are IPv4 or IPv6. */
export interface ProxiedAddresses {
  sourceAddress: string;
  sourcePort: number;
  destinationAddress: string;
  destinationPort: number;
}

export function addressesOf(
  sourceAddress: string,
  sourcePort: number,
  local: { address: string; port: number },
): ProxiedAddresses {
  return { sourceAddress, sourcePort, destinationAddress: local.address, destinationPort: local.port };
}

/** Of a connection that says nothing beyond its addresses. */
export const PLAIN: ConnectionFacts = { tls: false, serverName: null, clientCertificate: null, proxied: null };
