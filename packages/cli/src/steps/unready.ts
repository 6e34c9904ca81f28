// Which objects are not ready, and why, in the words of whoever is responsible for them. Pure, and the same for `up`,
// which waits for an empty list, and `status`, which prints it.

import type { Condition, KubeObject } from "@gatehouse/apimachinery/meta";
import type { DaemonSet, Deployment } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";

export interface Unready {
  /** `pod/demo/whoami-v1-abc`. */
  object: string;
  reason: string;
}

type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };
interface RouteStatus {
  parents?: { parentRef: { name: string; sectionName?: string }; conditions?: Condition[] }[];
}
interface RouteSpec {
  parentRefs?: { kind?: string; namespace?: string; name: string }[];
}

/** `objects` are looked at together: what one of them refers to may be missing among the others. */
export function unreadyObjects(objects: KubeObject[]): Unready[] {
  return objects.flatMap((object) => {
    const reason = reasonByKind[object.kind]?.(object, objects);
    const { namespace, name } = object.metadata;
    return reason ? [{ object: [object.kind.toLowerCase(), namespace, name].filter(Boolean).join("/"), reason }] : [];
  });
}

export function explainUnready(unready: Unready[]): string {
  return unready.map(({ object, reason }) => `${object}: ${reason}`).join("; ");
}

/** What has to be mended: pods, as long as there are such; what waits for them is only counted. */
export function explainCauses(unready: Unready[]): string {
  const causes = unready.filter(({ object }) => object.startsWith("pod/"));
  if (causes.length === 0) return explainUnready(unready);
  const others = unready.length - causes.length;
  return explainUnready(causes) + (others > 0 ? ` (and ${others} more that wait for it)` : "");
}

const reasonByKind: Record<string, (object: KubeObject, all: KubeObject[]) => string | undefined> = {
  Pod: (object) => podReason(object as Pod),
  Deployment: (object) => deploymentReason(object as Deployment),
  DaemonSet: (object) => daemonSetReason(object as DaemonSet),
  GatewayClass: (object) => conditionReason(object, ["Accepted"]),
  Gateway: (object, all) => classReason(object, all) ?? conditionReason(object, ["Accepted", "Programmed"]),
  HTTPRoute: routeReason,
};

function podReason({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp || status?.phase === "Succeeded") return undefined;
  const ready = status?.conditions?.find((condition) => condition.type === "Ready");
  if (ready?.status === "True") return undefined;
  for (const { state } of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const held = state?.waiting ?? state?.terminated;
    if (held && held.reason !== "Completed") return held.message ? `${held.reason}: ${held.message}` : held.reason;
  }
  const unscheduled = status?.conditions?.find(
    (condition) => condition.type === "PodScheduled" && condition.status === "False",
  );
  return unscheduled?.message ?? ready?.message ?? `phase ${status?.phase ?? "Pending"}`;
}

function deploymentReason({ metadata, spec, status }: Deployment): string | undefined {
  const wanted = spec.replicas ?? 1;
  const available = status?.availableReplicas ?? 0;
  if (
    status?.observedGeneration === metadata.generation &&
    available >= wanted &&
    (status?.updatedReplicas ?? 0) >= wanted
  )
    return undefined;
  return `${available} of ${wanted} replicas available`;
}

function daemonSetReason({ metadata, status }: DaemonSet): string | undefined {
  const wanted = status?.desiredNumberScheduled ?? 0;
  const available = status?.numberAvailable ?? 0;
  if (status?.observedGeneration === metadata.generation && wanted > 0 && available >= wanted) return undefined;
  return `${available} of ${wanted} pods available`;
}

function conditionReason(object: KubeObject, types: string[]): string | undefined {
  const conditions = (object as WithConditions).status?.conditions;
  return types
    .map((type) => unmet(conditions, type, object.metadata.generation))
    .find((reason) => reason !== undefined);
}

/** Nobody may write the status of a Gateway whose class is missing: it says `Waiting for controller`, or what was once true. */
function classReason(object: KubeObject, all: KubeObject[]): string | undefined {
  const wanted = (object.spec as { gatewayClassName?: string } | undefined)?.gatewayClassName;
  const classes = all.filter(({ kind }) => kind === "GatewayClass").map(({ metadata }) => metadata.name);
  if (wanted === undefined || classes.includes(wanted)) return undefined;
  const others =
    classes.length > 0 ? `set spec.gatewayClassName to ${classes.join(" or ")}, or create it` : "create it";
  return `there is no GatewayClass "${wanted}": ${others}`;
}

/** A route that no controller answers for: what it points to may not be there at all. */
function parentReason(object: KubeObject, all: KubeObject[]): string {
  const refs = (object.spec as RouteSpec | undefined)?.parentRefs ?? [];
  for (const { kind = "Gateway", namespace = object.metadata.namespace, name } of refs) {
    const present = all.some(
      (other) => other.kind === kind && other.metadata.namespace === namespace && other.metadata.name === name,
    );
    if (kind === "Gateway" && !present)
      return `there is no Gateway "${name}" in namespace "${namespace}": create it or correct spec.parentRefs`;
  }
  return "no Gateway has taken it: check spec.parentRefs";
}

/** A route is ready when every parent that answered took it and resolved its references; no answer is no. */
function routeReason(object: KubeObject, all: KubeObject[]): string | undefined {
  const parents = (object.status as RouteStatus | undefined)?.parents ?? [];
  if (parents.length === 0) return parentReason(object, all);
  for (const { parentRef, conditions } of parents) {
    for (const type of ["Accepted", "ResolvedRefs"]) {
      const reason = unmet(conditions, type, object.metadata.generation);
      if (reason) return `by Gateway ${parentRef.name}: ${reason}`;
    }
  }
  return undefined;
}

function unmet(conditions: Condition[] | undefined, type: string, generation: number | undefined): string | undefined {
  const condition = conditions?.find((candidate) => candidate.type === type);
  if (!condition) return `waiting for the controller to set ${type}`;
  if (condition.status !== "True") return `${type} is ${condition.status} (${condition.reason}): ${condition.message}`;
  const observed = condition.observedGeneration;
  return observed !== undefined && generation !== undefined && observed < generation
    ? "the latest change is not taken up yet"
    : undefined;
}
