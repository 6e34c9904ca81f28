// What policies and backends of our own kinds say: an entry for each Gateway whose routes lead to them (PolicyAncestorStatus).

import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { BackendTLSPolicy } from "@gatehouse/gateway-api/backend-tls-policy";
import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import type { XBackendTrafficPolicy } from "@gatehouse/gateway-api/x-backend-traffic-policy";
import { policyConditions } from "./backend-tls-policies.ts";
import { trafficPolicyConditions } from "./backend-traffic-policies.ts";
import { backendKey } from "./backends.ts";
import type { BackendUsers } from "./backend-users.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { controllerName } from "./controller-name.ts";
import { externalTls } from "./external-backends.ts";
import { type ObjectIndex, targetedServices } from "./gateway-objects.ts";
import type { Parents } from "./parents.ts";
import type { RelationUpdate, StatusUpdate } from "./statuses.ts";

/** A policy or backend. */
export type Described =
  | { kind: "backendTLSPolicies"; object: BackendTLSPolicy }
  | { kind: "backendTrafficPolicies"; object: XBackendTrafficPolicy }
  | { kind: "xBackends"; object: XBackend };

/** Who leads to backends. */
export interface Ways {
  users: BackendUsers;
  parents: Parents;
}

/** Undefined when there is nothing to say and nothing to take back. */
export function describedStatus(
  described: Described,
  { users, parents }: Ways,
  index: ObjectIndex,
): StatusUpdate | undefined {
  const { kind, object } = described;
  const type = kind === "xBackends" ? "parents" : "ancestors";
  const relations = [...namesByGateway(described, users)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, names]): RelationUpdate[] => {
      const owner = parents.byKey.get(key)?.owner;
      return owner ? [{ ref: { ...owner }, conditions: conditionsOf(described, names, index) }] : [];
    });
  const status = object.status as Partial<Record<typeof type, { controllerName: string }[]>> | undefined;
  const known = (status?.[type] ?? []).some((entry) => entry.controllerName === controllerName);
  return relations.length > 0 || known ? { type, object, controllerName, relations } : undefined;
}

/** The backends that an object concerns, as of `backendKey`. */
export function backendsOf({ kind, object }: { kind: Described["kind"]; object: KubeObject }): string[] {
  if (kind === "xBackends") return [backendKey("XBackend", object.metadata.namespace ?? "", object.metadata.name)];
  return targetedServices(object as BackendTLSPolicy).map((key) => `Service/${key}`);
}

/** Names of the backends, of those that the object concerns, that routes of each Gateway lead to. */
function namesByGateway(described: Described, users: BackendUsers): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const key of backendsOf(described)) {
    for (const gateway of users.of(key)) {
      const present = names.get(gateway) ?? new Set();
      names.set(gateway, present.add(key.slice(key.lastIndexOf("/") + 1)));
    }
  }
  return names;
}

function conditionsOf({ kind, object }: Described, names: ReadonlySet<string>, index: ObjectIndex): DesiredCondition[] {
  switch (kind) {
    case "backendTLSPolicies":
      return policyConditions(object, names, index);
    case "backendTrafficPolicies":
      return trafficPolicyConditions(object, names, index);
    case "xBackends":
      return [backendCondition(object, index)];
  }
}

function backendCondition(object: XBackend, index: ObjectIndex): DesiredCondition {
  const tls = externalTls(object, index);
  if (tls && "problem" in tls) return fails("Accepted", "Invalid", tls.problem);
  return holds("Accepted", "Accepted", "The backend can be used by routes");
}

/** The key of an object in the translator. */
export const describedKey = (kind: Described["kind"], object: KubeObject): string => `${kind}/${objectKey(object)}`;
