// PUT of an object, or of its status alone.

import { notFound } from "@gatehouse/apimachinery/status-error";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { decodeBody } from "../http/decode-body.ts";
import { readObject } from "../storage/stored-objects.ts";
import { isDryRun } from "../request-options.ts";
import { admitChange, type ChangeScope, decodeObject, storeChange } from "../write-pipeline.ts";
import { createObject } from "./create.ts";

/** Kinds whose PUT makes the object when there is none (AllowCreateOnUpdate in Kubernetes). */
const createdOnUpdate = new Set([
  "/endpoints",
  "/events",
  "events.k8s.io/events",
  "coordination.k8s.io/leases",
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/rolebindings",
  "rbac.authorization.k8s.io/clusterroles",
  "rbac.authorization.k8s.io/clusterrolebindings",
]);

/** Answers 200 (201 when it made the object). Throws 404, 409 for a stale resourceVersion or UID, 422 for faults. */
export async function update(
  context: ApiContext,
  request: ResourceRequest,
  scope: ChangeScope = "object",
): Promise<Answer> {
  const dryRun = isDryRun(request);
  const { definition, namespace, name = "" } = request;
  const object = decodeObject(request, await decodeBody(request.body));
  const old = readObject(context.store, definition, namespace, name);
  if (!old) {
    const { group, plural } = definition.type;
    const { resourceVersion, uid } = object.metadata;
    if (scope === "status" || resourceVersion || uid || !createdOnUpdate.has(`${group}/${plural}`)) {
      throw notFound(subjectOf(definition, name));
    }
    object.metadata.name = name;
    const created = createObject(context, request, object, dryRun);
    await context.store.committed();
    return { type: "object", code: 201, object: created };
  }
  const next = admitChange(context, request, old, object, scope);
  const stored = dryRun ? next : storeChange(context, definition, old, next);
  await context.store.committed();
  return { type: "object", code: 200, object: stored };
}
