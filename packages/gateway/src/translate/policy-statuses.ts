// What policies and backends of our own kinds say: an entry for each Gateway whose routes lead to them (PolicyAncestorStatus).

import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import { policyConditions } from "./backend-tls-policies.ts";
import { trafficPolicyConditions } from "./backend-traffic-policies.ts";
import type { BackendUsers } from "./backend-users.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { externalTls } from "./external-backends.ts";
import { type GatewayObjects, type ObjectIndex, type TargetingPolicy, targetedServices } from "./gateway-objects.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { backendKey } from "./referenced-backends.ts";
import type { RelationUpdate, StatusUpdate } from "./statuses.ts";

export function policyStatuses(
  objects: GatewayObjects,
  users: BackendUsers,
  index: ObjectIndex,
  controllerName: string,
): StatusUpdate[] {
  const describe = <T extends TargetingPolicy>(
    policy: T,
    conditions: (policy: T, services: ReadonlySet<string>, index: ObjectIndex) => DesiredCondition[],
  ): StatusUpdate | undefined => {
    const relations = byGateway(servicesByGateway(policy, users), (services) => conditions(policy, services, index));
    return relationsUpdate("ancestors", policy, relations, controllerName);
  };
  return [
    ...[...objects.backendTLSPolicies].flatMap((policy) => describe(policy, policyConditions) ?? []),
    ...[...objects.backendTrafficPolicies].flatMap((policy) => describe(policy, trafficPolicyConditions) ?? []),
    ...[...objects.xBackends].flatMap((object) => {
      const { name, namespace = "" } = object.metadata;
      const gateways = users.get(backendKey("XBackend", namespace, name)) ?? new Set();
      const relations = byGateway(new Map([...gateways].map((gateway) => [gateway, object])), () => [
        backendCondition(object, index),
      ]);
      return relationsUpdate("parents", object, relations, controllerName) ?? [];
    }),
  ];
}

/** Names of the Services, of those that the policy targets, that routes of each Gateway lead to. */
function servicesByGateway(policy: TargetingPolicy, users: BackendUsers): Map<ProcessedGateway, Set<string>> {
  const services = new Map<ProcessedGateway, Set<string>>();
  for (const key of targetedServices(policy)) {
    const [namespace = "", name = ""] = key.split("/");
    for (const gateway of users.get(backendKey("Service", namespace, name)) ?? []) {
      const names = services.get(gateway) ?? new Set();
      services.set(gateway, names.add(name));
    }
  }
  return services;
}

function byGateway<T>(
  gateways: ReadonlyMap<ProcessedGateway, T>,
  conditions: (of: T) => DesiredCondition[],
): RelationUpdate[] {
  return [...gateways]
    .sort(([a], [b]) => (objectKey(a.gateway) < objectKey(b.gateway) ? -1 : 1))
    .map(([{ owner }, of]) => ({ ref: { ...owner }, conditions: conditions(of) }));
}

/** Undefined when there is nothing to say and nothing to take back. */
function relationsUpdate(
  type: "parents" | "ancestors",
  object: KubeObject,
  relations: RelationUpdate[],
  controllerName: string,
): StatusUpdate | undefined {
  const status = object.status as Partial<Record<typeof type, { controllerName: string }[]>> | undefined;
  const known = (status?.[type] ?? []).some((entry) => entry.controllerName === controllerName);
  return relations.length > 0 || known ? { type, object, controllerName, relations } : undefined;
}

function backendCondition(object: XBackend, index: ObjectIndex): DesiredCondition {
  const tls = externalTls(object, index);
  if (tls && "problem" in tls) return fails("Accepted", "Invalid", tls.problem);
  return holds("Accepted", "Accepted", "The backend can be used by routes");
}
