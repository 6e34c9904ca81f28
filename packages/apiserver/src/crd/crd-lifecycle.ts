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

/** Sets names, stored versions and the conditions NamesAccepted and Established, in place; unreadable specs are left to validation. */
export function establish(object: KubeObject, old: KubeObject | undefined): void {
  const crd = object as CustomResourceDefinition;
  if (!crd.spec?.names?.plural || !Array.isArray(crd.spec.versions)) return;
  const before = (old as CustomResourceDefinition | undefined)?.status;
  const storage = crd.spec.versions.filter((version) => version?.storage).map((version) => version.name);
  crd.status = {
    ...crd.status,
    conditions: before?.conditions ?? [
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ],
    acceptedNames: crd.spec.names,
    storedVersions: [...new Set([...(before?.storedVersions ?? []), ...storage])],
  };
}

function condition(type: string, reason: string, message: string): Condition {
  return { type, status: "True", reason, message, lastTransitionTime: timestamp() };
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
