// References to certificates of authorities -> one PEM bundle, and what is wrong with those that cannot be used
// (BackendTLSPolicyValidation.caCertificateRefs, FrontendTLSValidation.caCertificateRefs).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ObjectReference } from "@gatehouse/gateway-api/references";
import type { ObjectIndex } from "./gateway-objects.ts";
import { type CrossReference, grantToCreate, isReferencePermitted } from "./reference-grants.ts";

/** `kind`: unknown or unsupported kind. `reference`: not there, or without a readable `ca.crt`. */
export interface AuthorityProblem {
  what: "kind" | "reference" | "grant";
  message: string;
}

export interface Authorities {
  /** PEM of all that can be used, empty for none. */
  bundle: string;
  problems: AuthorityProblem[];
}

/** `field` is where the references stand, e.g. `validation.caCertificateRefs`. */
export function resolveAuthorities(
  refs: readonly ObjectReference[],
  from: CrossReference["from"],
  field: string,
  index: ObjectIndex,
): Authorities {
  const bundles: string[] = [];
  const problems: AuthorityProblem[] = [];
  for (const [position, ref] of refs.entries()) {
    const resolved = resolve(ref, from, `${field}[${position}]`, index);
    if (typeof resolved === "string") bundles.push(resolved);
    else problems.push(resolved);
  }
  return { bundle: bundles.join("\n"), problems };
}

function resolve(
  { group, kind, name, namespace = "" }: ObjectReference,
  from: CrossReference["from"],
  field: string,
  index: ObjectIndex,
): string | AuthorityProblem {
  if (group !== "" || (kind !== "ConfigMap" && kind !== "Secret")) {
    const what = group ? `${kind}.${group}` : kind;
    return { what: "kind", message: `${field} refers to kind ${what}, which is not supported: refer to a ConfigMap` };
  }
  const home = namespace || from.namespace;
  const reference: CrossReference = { from, to: { kind, namespace: home, name } };
  if (!isReferencePermitted(reference, index)) {
    const what = `${kind} "${name}" in namespace "${home}" may not be used from namespace "${from.namespace}"`;
    return { what: "grant", message: `${what} (${field}): ${grantToCreate(reference)}` };
  }
  const holder = kind === "ConfigMap" ? index.configMap(home, name) : index.secret(home, name);
  if (!holder) {
    const message = `${kind} "${name}" not found in namespace "${home}": create it or correct ${field}.name`;
    return { what: "reference", message };
  }
  const bundle = bundleOf(holder, kind);
  if (bundle !== undefined) return bundle;
  const message = `${kind} "${name}" in namespace "${home}" has no certificate in PEM under the key ca.crt`;
  return { what: "reference", message };
}

/** Reading certificates is slow and their holders rarely change: one result per object, which is never changed in place. */
const known = new WeakMap<KubeObject, string | undefined>();

function bundleOf(holder: KubeObject, kind: "ConfigMap" | "Secret"): string | undefined {
  if (known.has(holder)) return known.get(holder);
  const text = (holder.data as Record<string, string> | undefined)?.["ca.crt"] ?? "";
  const bundle = readBundle(kind === "Secret" ? Buffer.from(text, "base64").toString() : text);
  known.set(holder, bundle);
  return bundle;
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of `text` and nothing else of it, or undefined when there is none or one cannot be read. */
function readBundle(text: string): string | undefined {
  const blocks = text.match(certificateBlock) ?? [];
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    for (const block of blocks) void new X509Certificate(block);
  } catch {
    return undefined;
  }
  return blocks.length > 0 ? `${blocks.join("\n")}\n` : undefined;
}
