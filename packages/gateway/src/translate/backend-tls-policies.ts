// BackendTLSPolicy: which policy is in force for a Service's port, what it asks, and whether that can be done.

import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import { objectKey } from "@gatehouse/apimachinery/meta";
import type {
  BackendTLSPolicy,
  BackendTLSPolicyValidation,
  SubjectAltName,
} from "@gatehouse/gateway-api/backend-tls-policy";
import type { BackendTls } from "@gatehouse/proxy/routing-table";
import { type AuthorityProblem, resolveAuthorities } from "./ca-certificates.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { crowdedOut, isCrowdedOut } from "./policy-room.ts";
import { listOf } from "./problems.ts";
import type { CrossReference } from "./reference-grants.ts";

/** TLS towards a Service's port as its policy asks; `problem` when that cannot be done. Undefined: plain text. */
export function backendTls(
  service: Service,
  port: ServicePort,
  index: ObjectIndex,
): BackendTls | { problem: string } | undefined {
  const { namespace = "", name } = service.metadata;
  const policies = index.backendTLSPolicies(namespace, name);
  const policy = winner(policies, name, port.name) ?? winner(policies, name, undefined);
  if (!policy) return undefined;
  const { tls, resolvedRefs, rejected } = judge(policy, index);
  if (tls) return tls;
  return { problem: `BackendTLSPolicy "${policy.metadata.name}": ${(rejected ?? resolvedRefs).message}` };
}

/** The oldest policy for exactly this target. A policy for a port goes before one for the whole Service. */
function winner(
  oldestFirst: readonly BackendTLSPolicy[],
  service: string,
  section: string | undefined,
): BackendTLSPolicy | undefined {
  return oldestFirst.find(({ spec }) => spec.targetRefs.some((ref) => targets(ref, service, section)));
}

type TargetRef = BackendTLSPolicy["spec"]["targetRefs"][number];

const targets = ({ group, kind, name, sectionName }: TargetRef, service: string, section: string | undefined) =>
  group === "" && kind === "Service" && name === service && (sectionName || undefined) === (section || undefined);

export interface Verdict {
  /** Absent when connections must fail. */
  tls?: BackendTls;
  resolvedRefs: DesiredCondition;
  /** Accepted: False. */
  rejected?: DesiredCondition;
}

/** What the policy asks, whatever it is attached to. */
function judge(policy: BackendTLSPolicy, index: ObjectIndex): Verdict {
  const { metadata, spec } = policy;
  const owner = { kind: "BackendTLSPolicy", namespace: metadata.namespace ?? "" };
  const { tls, ...verdict } = judgeValidation(spec.validation, owner, "spec.validation", index);
  if (isCrowdedOut(policy)) return { ...verdict, rejected: fails("Accepted", "Invalid", crowdedOut) };
  return { ...verdict, ...(tls ? { tls } : {}) };
}

/** `owner` has the references, `field` is where `validation` stands. */
export function judgeValidation(
  validation: BackendTLSPolicyValidation,
  owner: CrossReference["from"],
  field: string,
  index: ObjectIndex,
): Verdict {
  const { hostname, caCertificateRefs = [], wellKnownCACertificates, subjectAltNames = [] } = validation;
  const names = subjectAltNames.map(subjectAltName);
  const tls: BackendTls = { serverName: hostname, ...(names.length > 0 ? { subjectAltNames: names } : {}) };
  const resolved = holds("ResolvedRefs", "ResolvedRefs", "All references are resolved");
  if (caCertificateRefs.length === 0) {
    if (wellKnownCACertificates === "System") return { tls, resolvedRefs: resolved };
    const message = `${field}.wellKnownCACertificates "${wellKnownCACertificates ?? ""}" is not supported: use System`;
    return { resolvedRefs: resolved, rejected: fails("Accepted", "Invalid", message) };
  }
  const { bundle, problems } = resolveAuthorities(caCertificateRefs, owner, `${field}.caCertificateRefs`, index);
  const resolvedRefs = problems.length > 0 ? unresolved(problems) : resolved;
  if (bundle !== "") return { tls: { authorities: bundle, ...tls }, resolvedRefs };
  return { resolvedRefs, rejected: fails("Accepted", "NoValidCACertificate", resolvedRefs.message) };
}

function unresolved(problems: readonly AuthorityProblem[]): DesiredCondition {
  const reason = problems[0]?.what === "kind" ? "InvalidKind" : "InvalidCACertificateRef";
  return fails("ResolvedRefs", reason, problems.map(({ message }) => message).join("; "));
}

function subjectAltName({ type, hostname = "", uri = "" }: SubjectAltName) {
  return type === "URI" ? { type: "uri" as const, value: uri } : { type: "hostname" as const, value: hostname };
}

/** What the policy's status says for an ancestor whose routes use `services` (names in the policy's namespace). */
export function policyConditions(
  policy: BackendTLSPolicy,
  services: ReadonlySet<string>,
  index: ObjectIndex,
): DesiredCondition[] {
  const { resolvedRefs, rejected } = judge(policy, index);
  return [detached(policy, services, index) ?? rejected ?? attached(policy, services, index), resolvedRefs];
}

const used = ({ spec }: BackendTLSPolicy, services: ReadonlySet<string>): TargetRef[] =>
  spec.targetRefs.filter(({ group, kind, name }) => group === "" && kind === "Service" && services.has(name));

/** Accepted: False when the policy takes effect on none of its targets. */
function detached(
  policy: BackendTLSPolicy,
  services: ReadonlySet<string>,
  index: ObjectIndex,
): DesiredCondition | undefined {
  const namespace = policy.metadata.namespace ?? "";
  const refs = used(policy, services);
  const missing = refs.flatMap((ref) => missingTarget(ref, namespace, index) ?? []);
  if (missing.length === refs.length) return fails("Accepted", "TargetNotFound", missing.join("; "));
  const lost = refs.flatMap((ref) => conflict(policy, ref, index) ?? []);
  return lost.length === refs.length ? fails("Accepted", "Conflicted", lost.join("; ")) : undefined;
}

function attached(policy: BackendTLSPolicy, services: ReadonlySet<string>, index: ObjectIndex): DesiredCondition {
  const namespace = policy.metadata.namespace ?? "";
  const notes = used(policy, services).flatMap(
    (ref) => missingTarget(ref, namespace, index) ?? conflict(policy, ref, index) ?? [],
  );
  return holds("Accepted", "Accepted", ["The policy is in force", ...notes].join("; "));
}

function missingTarget({ name, sectionName }: TargetRef, namespace: string, index: ObjectIndex): string | undefined {
  const service = index.service(namespace, name);
  if (!service) return `Service "${name}" not found in namespace "${namespace}": create it or correct spec.targetRefs`;
  const ports = service.spec.ports ?? [];
  if (!sectionName || ports.some((port) => port.name === sectionName)) return undefined;
  const known = listOf(ports.flatMap((port) => port.name ?? []));
  return `Service "${name}" has no port named "${sectionName}"; its names are ${known}: correct sectionName`;
}

function conflict(policy: BackendTLSPolicy, { name, sectionName }: TargetRef, index: ObjectIndex): string | undefined {
  const first = winner(index.backendTLSPolicies(policy.metadata.namespace ?? "", name), name, sectionName);
  if (!first || objectKey(first) === objectKey(policy)) return undefined;
  const target = sectionName ? `port "${sectionName}" of Service "${name}"` : `Service "${name}"`;
  return `BackendTLSPolicy "${first.metadata.name}" has precedence for ${target}: target another Service or port`;
}
