// A CustomResourceDefinition's life: established as it is written, its resources served from the commit on,
// and its objects deleted with it.

import { type Condition, type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import type { ApiContext } from "./api-context.ts";
import { definitionsOf } from "./crd/definition.ts";
import { deleteObject } from "./deletion.ts";
import type { ResourceDefinition } from "./resource-definition.ts";

/** What the server reads of a CustomResourceDefinition. */
export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string;
    scope: "Namespaced" | "Cluster";
    names: { plural: string; singular?: string; kind: string; listKind?: string; shortNames?: string[]; categories?: string[] };
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
 * Starts the end of a CustomResourceDefinition (`next`, already marked as terminating, changed in place): its objects are
 * deleted; while some of them linger the cleanup finalizer holds the definition.
 */
export function beginCrdDeletion(context: ApiContext, next: KubeObject, dryRun: boolean): void {
  const crd = next as CustomResourceDefinition;
  const definition = context.registry.customOf(crd.metadata.name)[0];
  if (!definition || dryRun) return;
  const instances = [...context.store.scan(instancesOf(crd))].map(([, object]) => object);
  const lingering = instances.filter((object) => !deleteObject(context, definition, object, { dryRun: false }).removed);
  const others = (crd.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
  if (lingering.length > 0) crd.metadata.finalizers = [...others, cleanupFinalizer];
  else if (others.length > 0) crd.metadata.finalizers = others;
  else delete crd.metadata.finalizers;
  const conditions = (crd.status?.conditions ?? []).filter(({ type }) => type !== "Terminating");
  const terminating = condition("Terminating", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
  crd.status = { ...crd.status, conditions: [...conditions, terminating] };
}

/** Follows the store: serves what definitions define, and lets a terminating definition go with its last object. */
export class CustomResources {
  readonly #context: ApiContext;
  /** By definition name: stops watching its objects. */
  readonly #waiting = new Map<string, () => void>();

  constructor(context: ApiContext) {
    this.#context = context;
    for (const [, crd] of context.store.scan(crdResource)) this.#serve(crd as CustomResourceDefinition);
    context.store.subscribe(crdResource, ({ type, object }) => {
      if (type === "DELETED") this.#forget(object as CustomResourceDefinition);
      else this.#serve(object as CustomResourceDefinition);
    });
  }

  #serve(crd: CustomResourceDefinition): void {
    try {
      this.#context.registry.setCustom(crd.metadata.name, definitionsOf(crd));
    } catch (error) {
      this.#context.log.error(`the resources of ${crd.metadata.name} cannot be served`, error);
    }
    if (crd.metadata.deletionTimestamp) this.#awaitLastInstance(crd);
  }

  #forget(crd: CustomResourceDefinition): void {
    this.#context.registry.removeCustom(crd.metadata.name);
    this.#waiting.get(crd.metadata.name)?.();
    this.#waiting.delete(crd.metadata.name);
  }

  #awaitLastInstance(crd: CustomResourceDefinition): void {
    const { name } = crd.metadata;
    const resource = instancesOf(crd);
    const { store } = this.#context;
    const check = (): void => {
      if (store.count(resource) > 0) return;
      const current = store.get(crdResource, name);
      if (!current?.metadata.finalizers?.includes(cleanupFinalizer)) return;
      const finalizers = current.metadata.finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
      const metadata = { ...current.metadata, finalizers };
      if (finalizers.length === 0) store.remove(crdResource, name);
      else store.write(crdResource, name, { ...current, metadata });
    };
    if (!this.#waiting.has(name)) this.#waiting.set(name, store.subscribe(resource, check));
    // Not at once: this may run inside the commit that wrote the definition.
    setImmediate(check);
  }
}
