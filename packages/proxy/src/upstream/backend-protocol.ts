// How the endpoints of a service are spoken to, made ready once per service: what distinguishes two connections to one address.

import { createHash } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import type { BackendTls, Service } from "../routing-table.ts";
import { backendTlsOptions } from "../tls/backend-tls.ts";

export interface BackendProtocol {
  name: Service["protocol"];
  /** For `tls.connect`; null without TLS. */
  tls: ConnectionOptions | null;
  /** Version of the PROXY header that each connection begins with, 0 for none. It then serves one request: what it says is true
   * of no other client. */
  proxyProtocol: 0 | 1 | 2;
  /** Services that speak alike share connections to an endpoint; others never do. */
  key: string;
}

export const PLAIN_HTTP: BackendProtocol = { name: "http", tls: null, proxyProtocol: 0, key: "" };

/** Throws when the service's certificates cannot be read, with `https` are not there, or when its protocol shares connections
 * among clients but a PROXY header shall name one. */
export function backendProtocol({ protocol, tls, proxyProtocol: version }: Service): BackendProtocol {
  const proxyProtocol = version ?? 0;
  if (protocol === "http") {
    return proxyProtocol === 0 ? PLAIN_HTTP : { ...PLAIN_HTTP, proxyProtocol, key: `http proxy-${proxyProtocol}` };
  }
  // Streams begin their connections themselves.
  if (protocol === "tcp" || protocol === "udp") return { name: protocol, tls: null, proxyProtocol: 0, key: protocol };
  if (proxyProtocol !== 0) throw new Error(`proxy-protocol-not-supported: ${protocol}`);
  if (protocol === "h2c") return { name: protocol, tls: null, proxyProtocol, key: protocol };
  if (tls === undefined) throw new Error("backend-tls-invalid: nothing is said about TLS");
  const digest = createHash("sha256").update(JSON.stringify(tls)).digest("base64url");
  return { name: protocol, tls: readTls(tls), proxyProtocol, key: `${protocol} ${digest}` };
}

function readTls(tls: BackendTls): ConnectionOptions {
  try {
    return backendTlsOptions(tls);
  } catch (error) {
    throw new Error(`backend-tls-invalid: ${(error as Error).message}`, { cause: error });
  }
}
