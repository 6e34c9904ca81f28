// References to certificates with their keys -> PEM pairs, checked so far that TLS can use them.

import type { Secret } from "@gatehouse/apimachinery/types/core-v1";
import type { Listener } from "@gatehouse/gateway-api/listener";
import type { SecretObjectReference } from "@gatehouse/gateway-api/references";
import type { ObjectIndex } from "./gateway-objects.ts";
import { type CrossReference, grantToCreate, isReferencePermitted } from "./reference-grants.ts";

export interface CertificatePair {
  certificate: string;
  key: string;
  /** DNS names of the certificate, lower-case. */
  names: string[];
}

export interface CertificateProblem {
  /** `reference`: not there, or not a pair that can be used. */
  what: "reference" | "grant";
  message: string;
}

/** The usable certificates of a listener in their order, and what is wrong with the others. */
export function resolveCertificates(
  { tls }: Listener,
  owner: CrossReference["from"],
  index: ObjectIndex,
): { certificates: CertificatePair[]; problems: CertificateProblem[] } {
  const certificates: CertificatePair[] = [];
  const problems: CertificateProblem[] = [];
  const refs = tls?.certificateRefs ?? [];
  if (refs.length === 0)
    problems.push(invalid("tls.certificateRefs is empty: name a Secret of type kubernetes.io/tls"));
  for (const [position, ref] of refs.entries()) {
    const resolved = resolveCertificate(ref, `tls.certificateRefs[${position}]`, owner, index);
    if ("what" in resolved) problems.push(resolved);
    else certificates.push(resolved);
  }
  return { certificates, problems };
}

/** `owner` is the object that has the reference, `field` where. */
export function resolveCertificate(
  { group = "", kind = "Secret", name, namespace: given }: SecretObjectReference,
  field: string,
  owner: CrossReference["from"],
  index: ObjectIndex,
): CertificatePair | CertificateProblem {
  if (group !== "" || kind !== "Secret") {
    return invalid(
      `${field} refers to kind ${kind}${group ? `.${group}` : ""}, which is not supported: refer to a Secret`,
    );
  }
  const namespace = given ?? owner.namespace;
  const reference = { from: owner, to: { kind, namespace, name } };
  if (!isReferencePermitted(reference, index)) {
    const what = `Secret "${name}" in namespace "${namespace}" may not be used from namespace "${owner.namespace}" (${field})`;
    return { what: "grant", message: `${what}: ${grantToCreate(reference)}` };
  }
  const secret = index.secret(namespace, name);
  if (!secret) {
    return invalid(`Secret "${name}" not found in namespace "${namespace}": create it or correct ${field}.name`);
  }
  const pair = pairOf(secret);
  return typeof pair === "string" ? invalid(`Secret "${name}" in namespace "${namespace}" ${pair}`) : pair;
}

const invalid = (message: string): CertificateProblem => ({ what: "reference", message });

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
