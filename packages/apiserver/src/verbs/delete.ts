// DELETE of one object.

import { notFound } from "@gatehouse/apimachinery/status-error";
import { admitByPolicies } from "../admission/admit.ts";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { type DeleteOptions, readDeleteOptions } from "../delete-options.ts";
import { deleteObject } from "../deletion.ts";
import { readObject } from "../storage/stored-objects.ts";

/** Answers a Status when the object is gone, the object when it lingers (or is a Pod, as in Kubernetes). Throws 404, 409, 403. */
export async function remove(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  return removeWith(context, request, await readDeleteOptions(request));
}

/** The same with the options already read. */
export async function removeWith(
  context: ApiContext,
  request: ResourceRequest,
  options: DeleteOptions,
): Promise<Answer> {
  const { definition, namespace, name = "" } = request;
  const old = readObject(context.store, definition, namespace, name);
  if (!old) throw notFound(subjectOf(definition, name));
  admitByPolicies(context, request, { operation: "DELETE", old });
  const { object, removed } = deleteObject(context, definition, old, options);
  await context.store.committed();
  if (!removed || (definition.type.group === "" && definition.type.plural === "pods")) {
    return { type: "object", code: 200, object };
  }
  const { group, plural } = definition.type;
  const details = { name, ...(group ? { group } : {}), kind: plural, uid: old.metadata.uid };
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  return { type: "json", code: 200, body };
}
