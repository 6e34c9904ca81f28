// TLS termination: which certificate a client gets, chosen by the name it asks for (SNI).

import { createSecureContext } from "node:tls";
import type { SecureContext, TlsOptions } from "node:tls";
import type { TlsTermination } from "./routing-table.ts";
import { HostIndex } from "./match/hostname.ts";

/** Options for a TLS server. Throws when a certificate or key cannot be read, or there is none. */
export function tlsOptions(tls: TlsTermination): TlsOptions {
  const contexts = new HostIndex<SecureContext>();
  for (const { hostnames, certificate, key } of tls.certificates) {
    const context = createSecureContext({ cert: certificate, key });
    for (const hostname of hostnames) if (hostname !== "*") contexts.add(hostname, context);
  }
  const first = tls.certificates[0];
  if (first === undefined) throw new Error("TLS listener without a certificate");
  const fallback = createSecureContext({ cert: first.certificate, key: first.key });
  return {
    cert: first.certificate,
    key: first.key,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    SNICallback: (name, done) => done(null, contexts.find(name.toLowerCase())?.value ?? fallback),
  };
}
