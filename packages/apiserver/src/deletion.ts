// The rules of deletion, from preconditions over finalizers and grace to removal
// (apiserver registry/rest/delete.go and registry/generic/registry/store.go).

import { foregroundFinalizer, type KubeObject, orphanFinalizer, timestamp } from "@gatehouse/apimachinery/meta";
import { conflict, forbidden } from "@gatehouse/apimachinery/status-error";
import type { Namespace } from "@gatehouse/apimachinery/types/core-v1";
import { type ApiContext, subjectOf } from "./api-context.ts";
import { beginCrdDeletion, isCrd } from "./crd/crd-lifecycle.ts";
import type { DeleteOptions } from "./delete-options.ts";
import type { ResourceDefinition } from "./resource-definition.ts";
import { removeObject, writeObject } from "./storage/stored-objects.ts";
import { mayVanish } from "./write-pipeline.ts";

const keptNamespaces = new Set(["default", "kube-system", "kube-public"]);

/** `removed` is false when the object lingers, terminating. */
export interface Deletion {
  object: KubeObject;
  removed: boolean;
}

/** Deletes or begins to delete `old`, synchronously. Throws 409 for failed preconditions, 403 for what must stay. */
export function deleteObject(
  context: ApiContext,
  definition: ResourceDefinition,
  old: KubeObject,
  options: DeleteOptions,
): Deletion {
  checkPreconditions(definition, old, options);
  const isNamespace = definition.type.group === "" && definition.type.plural === "namespaces";
  if (isNamespace && keptNamespaces.has(old.metadata.name)) {
    const subject = subjectOf(definition, old.metadata.name);
    throw forbidden(`namespaces "${old.metadata.name}" is forbidden: this namespace may not be deleted`, subject);
  }
  const next = terminating(definition, old, options);
  if (isNamespace) (next as Namespace).status = { ...(next as Namespace).status, phase: "Terminating" };
  if (isCrd(definition) && !options.dryRun) {
    beginCrdDeletion(context, next, (kind, object) => deleteObject(context, kind, object, { dryRun: false }).removed);
  }
  if (mayVanish(next)) {
    return {
      removed: true,
      object: options.dryRun ? old : removeObject(context.store, definition, withoutMark(old, next)),
    };
  }
  if (sameDeletion(old, next)) return { object: old, removed: false };
  return { object: options.dryRun ? next : writeObject(context.store, definition, next), removed: false };
}

function checkPreconditions(definition: ResourceDefinition, old: KubeObject, { preconditions }: DeleteOptions): void {
  const subject = subjectOf(definition, old.metadata.name);
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid && uid !== old.metadata.uid) {
    throw conflict(
      subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
    const found = old.metadata.resourceVersion;
    throw conflict(
      subject,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${found}`,
    );
  }
}

/** `old` marked as terminating, or with its grace shortened; never lengthened. */
function terminating(definition: ResourceDefinition, old: KubeObject, options: DeleteOptions): KubeObject {
  const metadata = { ...old.metadata };
  const finalizers = finalizersFor(old, options);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const grace = graceOf(definition, old, options);
  if (!old.metadata.deletionTimestamp) {
    metadata.deletionTimestamp = timestamp(new Date(Date.now() + grace * 1000));
    metadata.deletionGracePeriodSeconds = grace;
    if (metadata.generation !== undefined) metadata.generation++;
  } else if (grace < (old.metadata.deletionGracePeriodSeconds ?? 0)) {
    const begun = Date.parse(old.metadata.deletionTimestamp) - (old.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    metadata.deletionTimestamp = timestamp(new Date(Math.max(begun + grace * 1000, Date.now())));
    metadata.deletionGracePeriodSeconds = grace;
  }
  return { ...old, metadata };
}

function graceOf(definition: ResourceDefinition, old: KubeObject, options: DeleteOptions): number {
  const usual = definition.strategy.defaultGracePeriodSeconds?.(old);
  // 0 for kinds without grace, and for Pods that no kubelet runs: those go at once whatever the caller says.
  if (usual === undefined || usual === 0) return 0;
  return options.gracePeriodSeconds ?? old.metadata.deletionGracePeriodSeconds ?? usual;
}

function finalizersFor(old: KubeObject, { propagationPolicy }: DeleteOptions): string[] {
  const present = old.metadata.finalizers ?? [];
  if (!propagationPolicy) return present;
  const others = present.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  if (propagationPolicy === "Orphan") return [...others, orphanFinalizer];
  if (propagationPolicy === "Foreground") return [...others, foregroundFinalizer];
  return others;
}

function sameDeletion(old: KubeObject, next: KubeObject): boolean {
  return (
    old.metadata.deletionTimestamp !== undefined &&
    old.metadata.deletionGracePeriodSeconds === next.metadata.deletionGracePeriodSeconds &&
    (old.metadata.finalizers ?? []).join() === (next.metadata.finalizers ?? []).join()
  );
}

/** An object that goes at once is shown as it was; one that was terminating keeps its marks. */
function withoutMark(old: KubeObject, next: KubeObject): KubeObject {
  return old.metadata.deletionTimestamp ? next : old;
}
