// certificateRefs of a listener -> PEM pairs, checked so far that a TLS server can use them.

import type { Secret } from "@gatehouse/apimachinery/types/core-v1";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Listener } from "@gatehouse/gateway-api/listener";
import type { SecretObjectReference } from "@gatehouse/gateway-api/references";
import type { ObjectIndex } from "./gateway-objects.ts";
import { grantToCreate, isReferencePermitted } from "./reference-grants.ts";

export interface CertificatePair {
  certificate: string;
  key: string;
  /** DNS names of the certificate, lower-case. */
  names: string[];
}

export interface CertificateProblem {
  reason: "InvalidCertificateRef" | "RefNotPermitted";
  message: string;
}

/** The usable certificates of an HTTPS listener in their order, and what is wrong with the others. */
export function resolveCertificates(
  { tls }: Listener,
  gateway: Gateway,
  index: ObjectIndex,
): { certificates: CertificatePair[]; problems: CertificateProblem[] } {
  const certificates: CertificatePair[] = [];
  const problems: CertificateProblem[] = [];
  const refs = tls?.certificateRefs ?? [];
  if (refs.length === 0)
    problems.push(invalid("tls.certificateRefs is empty: name a Secret of type kubernetes.io/tls"));
  for (const [position, ref] of refs.entries()) {
    const resolved = resolve(ref, `tls.certificateRefs[${position}]`, gateway, index);
    if ("reason" in resolved) problems.push(resolved);
    else certificates.push(resolved);
  }
  return { certificates, problems };
}

function resolve(
  { group = "", kind = "Secret", name, namespace: given }: SecretObjectReference,
  field: string,
  gateway: Gateway,
  index: ObjectIndex,
): CertificatePair | CertificateProblem {
  if (group !== "" || kind !== "Secret") {
    return invalid(
      `${field} refers to kind ${kind}${group ? `.${group}` : ""}, which is not supported: refer to a Secret`,
    );
  }
  const own = gateway.metadata.namespace ?? "";
  const namespace = given ?? own;
  const reference = { from: { kind: "Gateway", namespace: own }, to: { kind, namespace, name } };
  if (!isReferencePermitted(reference, index)) {
    const what = `Secret "${name}" in namespace "${namespace}" may not be used from namespace "${own}" (${field})`;
    return { reason: "RefNotPermitted", message: `${what}: ${grantToCreate(reference)}` };
  }
  const secret = index.secret(namespace, name);
  if (!secret) {
    return invalid(`Secret "${name}" not found in namespace "${namespace}": create it or correct ${field}.name`);
  }
  const pair = pairOf(secret);
  return typeof pair === "string" ? invalid(`Secret "${name}" in namespace "${namespace}" ${pair}`) : pair;
}

const invalid = (message: string): CertificateProblem => ({ reason: "InvalidCertificateRef", message });

/** Reading keys is slow and Secrets rarely change: one result per object, which is never changed in place. */
const known = new WeakMap<Secret, CertificatePair | string>();

function pairOf(secret: Secret): CertificatePair | string {
  const present = known.get(secret) ?? readPair(secret);
  known.set(secret, present);
  return present;
}

/** The pair, or what is wrong with it as the rest of a sentence. */
function readPair({ data = {} }: Secret): CertificatePair | string {
  const missing = ["tls.crt", "tls.key"].filter((key) => !data[key]);
  if (missing.length > 0) return `has no ${missing.join(" and no ")}: it must be of type kubernetes.io/tls`;
  const [certificate, key] = [data["tls.crt"], data["tls.key"]].map((text) =>
    Buffer.from(text ?? "", "base64").toString(),
  );
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule("node:crypto");
  try {
    const parsed = new X509Certificate(certificate ?? "");
    if (!parsed.checkPrivateKey(createPrivateKey(key ?? "")))
      return "has a tls.key that does not belong to its tls.crt: replace one";
    const names = [...(parsed.subjectAltName ?? "").matchAll(/DNS:([^,\s]+)/g)].map(([, name = ""]) =>
      name.toLowerCase(),
    );
    return { certificate: certificate ?? "", key: key ?? "", names };
  } catch {
    return "has a certificate or key that cannot be read: both must be PEM, the key without a password";
  }
}
