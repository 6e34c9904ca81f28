// A CustomResourceDefinition's life: established as it is written, its resources served from the commit on,
// and its objects deleted with it.

import { type Condition, type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import type { ApiContext } from "../api-context.ts";
import type { ResourceDefinition } from "../resource-definition.ts";

/** What the server reads of a CustomResourceDefinition. */
export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string;
    scope: "Namespaced" | "Cluster";
    names: {
      plural: string;
      singular?: string;
      kind: string;
      listKind?: string;
      shortNames?: string[];
      categories?: string[];
    };
    versions: { name: string; served: boolean; storage: boolean }[];
  };
  status?: { conditions?: Condition[]; acceptedNames?: unknown; storedVersions?: string[] };
}

export const crdResource = "apiextensions.k8s.io/customresourcedefinitions";
/** Holds a deleted CustomResourceDefinition until its objects are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export function isCrd(definition: ResourceDefinition): boolean {
  return definition.type.group === "apiextensions.k8s.io" && definition.type.plural === "customresourcedefinitions";
}

/** Where a CustomResourceDefinition's objects are stored. */
export function instancesOf(crd: CustomResourceDefinition): string {
  return `${crd.spec.group}/${crd.spec.names.plural}`;
}

/**
 * Sets names, stored versions and the conditions NamesAccepted, Established and (for groups of Kubernetes itself) that of the
 * approval, in place; unreadable specs are left to validation. `others` are the definitions there are, of any group.
 */
export function establish(object: KubeObject, old: KubeObject | undefined, others: Iterable<KubeObject>): void {
  const crd = object as CustomResourceDefinition;
  if (!crd.spec?.names?.plural || !Array.isArray(crd.spec.versions)) return;
  const before = (old as CustomResourceDefinition | undefined)?.status;
  const storage = crd.spec.versions.filter((version) => version?.storage).map((version) => version.name);
  const conflict = nameConflict(crd, others);
  const names = conflict
    ? condition("NamesAccepted", conflict.reason, conflict.message, "False")
    : condition("NamesAccepted", "NoConflicts", "no conflicts found");
  // Once established, always established: a later conflict leaves the accepted names as they are.
  const wasEstablished = isEstablished(before);
  const established =
    conflict && !wasEstablished
      ? condition("Established", "NotAccepted", "not all names are accepted", "False")
      : condition("Established", "InitialNamesAccepted", "the initial names have been accepted");
  crd.status = {
    ...crd.status,
    conditions: withConditions(before?.conditions ?? [], [names, established, ...approvalCondition(crd)]),
    acceptedNames: conflict ? (before?.acceptedNames ?? { plural: "", kind: "" }) : crd.spec.names,
    storedVersions: [...new Set([...(before?.storedVersions ?? []), ...storage])],
  };
}

/** True when the definition's resources may be served. */
export function isEstablished(status: CustomResourceDefinition["status"]): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "Established" && value === "True") === true;
}

/** Which of the names another definition of the group has accepted before (apiextensions naming controller). */
function nameConflict(
  { metadata, spec: { group, names } }: CustomResourceDefinition,
  others: Iterable<KubeObject>,
): { reason: string; message: string } | undefined {
  const taken = { resources: new Set<string>(), kinds: new Set<string>() };
  for (const object of others) {
    const other = object as CustomResourceDefinition;
    if (other.spec.group !== group || other.metadata.name === metadata.name) continue;
    const accepted = other.status?.acceptedNames as Partial<CustomResourceDefinition["spec"]["names"]> | undefined;
    for (const name of [accepted?.plural, accepted?.singular, ...(accepted?.shortNames ?? [])]) {
      if (name) taken.resources.add(name);
    }
    for (const kind of [accepted?.kind, accepted?.listKind]) if (kind) taken.kinds.add(kind);
  }
  const { plural, singular, shortNames = [], kind, listKind } = names;
  const claims: [reason: string, wanted: (string | undefined)[], by: Set<string>][] = [
    ["PluralConflict", [plural], taken.resources],
    ["SingularConflict", [singular], taken.resources],
    ["ShortNamesConflict", shortNames, taken.resources],
    ["KindConflict", [kind], taken.kinds],
    ["ListKindConflict", [listKind], taken.kinds],
  ];
  // Of several conflicts the last is told, as in Kubernetes.
  for (const [reason, wanted, by] of claims.toReversed()) {
    const name = wanted.find((each) => each !== undefined && by.has(each));
    if (name !== undefined) return { reason, message: `${JSON.stringify(name)} is already in use` };
  }
  return undefined;
}

/** For groups that only Kubernetes itself may use (KEP-1111). */
function approvalCondition({ metadata, spec }: CustomResourceDefinition): Condition[] {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec.group)) return [];
  const value = metadata.annotations?.["api-approved.kubernetes.io"] ?? "";
  const type = "KubernetesAPIApprovalPolicyConformant";
  return value.startsWith("unapproved")
    ? [condition(type, "UnapprovedAnnotation", `not approved: ${JSON.stringify(value)}`, "False")]
    : [condition(type, "ApprovedAnnotation", `approved in ${value}`)];
}

function condition(type: string, reason: string, message: string, status: Condition["status"] = "True"): Condition {
  return { type, status, reason, message, lastTransitionTime: timestamp() };
}

/** `conditions` with `wanted` in them; one that says the same as before keeps its time. */
function withConditions(conditions: Condition[], wanted: Condition[]): Condition[] {
  const renewed = wanted.map((each) => {
    const before = conditions.find(({ type }) => type === each.type);
    const same = before?.status === each.status && before.reason === each.reason && before.message === each.message;
    return same ? before : each;
  });
  return [...conditions.filter(({ type }) => !wanted.some((each) => each.type === type)), ...renewed];
}

/**
 * Starts the end of a CustomResourceDefinition (`next`, already marked as terminating, changed in place): `remove` deletes
 * each of its objects; while some of them linger (false) the cleanup finalizer holds the definition.
 */
export function beginCrdDeletion(
  context: ApiContext,
  next: KubeObject,
  remove: (definition: ResourceDefinition, object: KubeObject) => boolean,
): void {
  const crd = next as CustomResourceDefinition;
  const definition = context.registry.customOf(crd.metadata.name)[0];
  if (!definition) return;
  const instances = [...context.store.scan(instancesOf(crd))].map(([, object]) => object);
  const lingering = instances.filter((object) => !remove(definition, object));
  const others = (crd.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
  if (lingering.length > 0) crd.metadata.finalizers = [...others, cleanupFinalizer];
  else if (others.length > 0) crd.metadata.finalizers = others;
  else delete crd.metadata.finalizers;
  const conditions = (crd.status?.conditions ?? []).filter(({ type }) => type !== "Terminating");
  const terminating = condition("Terminating", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
  crd.status = { ...crd.status, conditions: [...conditions, terminating] };
}
