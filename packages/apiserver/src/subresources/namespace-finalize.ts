// PUT of `namespaces/NAME/finalize`: the only way to change a Namespace's spec.finalizers, and its end when none are left.

import { notFound } from "@gatehouse/apimachinery/status-error";
import type { Namespace } from "@gatehouse/apimachinery/types/core-v1";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { decodeBody } from "../http/decode-body.ts";
import { readObject } from "../storage/stored-objects.ts";
import { isDryRun } from "../request-options.ts";
import { admitChange, decodeObject, storeChange } from "../write-pipeline.ts";

/** Answers 200 with the Namespace. Throws 404, 409. */
export async function finalizeNamespace(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, name = "" } = request;
  const wanted = decodeObject(request, await decodeBody(request.body)) as Namespace;
  const old = readObject(context.store, definition, undefined, name);
  if (!old) throw notFound(subjectOf(definition, name));
  const finalizers = wanted.spec?.finalizers ?? [];
  const { uid, resourceVersion } = wanted.metadata;
  const copy = structuredClone(old);
  Object.assign(copy.metadata, { resourceVersion: resourceVersion ?? "" }, uid ? { uid } : {});
  const next = admitChange(context, request, old, copy, "object") as Namespace;
  next.spec = finalizers.length > 0 ? { finalizers } : {};
  const stored = isDryRun(request) ? next : storeChange(context, definition, old, next);
  await context.store.committed();
  return { type: "object", code: 200, object: stored };
}
