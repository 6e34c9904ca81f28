// XBackends: TLS towards a host outside the cluster, and the proxy's service for it.

import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import type { BackendTls, Endpoint } from "@gatehouse/proxy/routing-table";
import { experimentalGroup } from "../gateway-resources.ts";
import { judgeValidation } from "./backend-tls-policies.ts";
import { resolveCertificate } from "./certificates.ts";
import type { ObjectIndex } from "./gateway-objects.ts";

const hostOf = ({ spec }: XBackend): string => spec.externalHostname?.hostname ?? "";

/** The name is looked up when connections are made. */
export function externalEndpoints(object: XBackend): Endpoint[] {
  const host = hostOf(object);
  return host === "" ? [] : [{ host, port: object.spec.port.port, name: host }];
}

/** Undefined: plain text. Without `validation` the certificate must be for the host, from an authority the system trusts. */
export function externalTls(object: XBackend, index: ObjectIndex): BackendTls | { problem: string } | undefined {
  const { mode, validation, clientCertificateRef } = object.spec.tls ?? {};
  if (mode === undefined || mode === "None") return undefined;
  const owner = { group: experimentalGroup, kind: "XBackend", namespace: object.metadata.namespace ?? "" };
  const { tls, rejected, resolvedRefs } = judgeValidation(
    validation ?? { hostname: hostOf(object), wellKnownCACertificates: "System" },
    owner,
    "spec.tls.validation",
    index,
  );
  if (!tls) return { problem: (rejected ?? resolvedRefs).message };
  if (mode !== "ClientAndServer" || !clientCertificateRef) return tls;
  const pair = resolveCertificate(clientCertificateRef, "spec.tls.clientCertificateRef", owner, index);
  return "what" in pair ? { problem: pair.message } : { ...tls, certificate: pair.certificate, key: pair.key };
}
