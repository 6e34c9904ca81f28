// How the endpoints of a service are spoken to, made ready once per service: what distinguishes two connections to one address.

import { createHash } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import type { Service } from "../routing-table.ts";
import { backendTlsOptions } from "../tls/backend-tls.ts";

export interface BackendProtocol {
  name: Service["protocol"];
  /** For `tls.connect`; null without TLS. */
  tls: ConnectionOptions | null;
  /** Services that speak alike share connections to an endpoint; others never do. */
  key: string;
}

export const PLAIN_HTTP: BackendProtocol = { name: "http", tls: null, key: "" };

/** Throws when the service's certificates cannot be read, or with `https` are not there. */
export function backendProtocol({ protocol, tls }: Service): BackendProtocol {
  if (protocol === "http") return PLAIN_HTTP;
  if (protocol !== "https") return { name: protocol, tls: null, key: protocol };
  if (tls === undefined) throw new Error("nothing is said about TLS");
  const digest = createHash("sha256").update(JSON.stringify(tls)).digest("base64url");
  return { name: protocol, tls: backendTlsOptions(tls), key: `${protocol} ${digest}` };
}
