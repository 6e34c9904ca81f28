// POST to a collection.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { generatedName } from "@gatehouse/apimachinery/names";
import { alreadyExists, badRequest, forbidden, notFound, StatusError } from "@gatehouse/apimachinery/status-error";
import { admitByPolicies } from "../admission/admit.ts";
import { admitPod } from "../admission/pod-admission.ts";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { decodeBody } from "../http/decode-body.ts";
import { readObject, writeObject } from "../storage/stored-objects.ts";
import { isDryRun } from "../request-options.ts";
import { admitNew, decodeObject, type WriteRequest } from "../write-pipeline.ts";

/** Answers 201. Throws 404 for a missing namespace, 403 for a terminating one, 409 when the name is taken, 422 for faults. */
export async function create(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const dryRun = isDryRun(request);
  const object = decodeObject(request, await decodeBody(request.body));
  const stored = createObject(context, request, object, dryRun);
  await context.store.committed();
  return { type: "object", code: 201, object: stored };
}

/** Everything between a decoded object and its stored form; synchronous, so nobody writes in between. */
export function createObject(
  context: ApiContext,
  request: WriteRequest,
  object: KubeObject,
  dryRun: boolean,
): KubeObject {
  const { definition, namespace } = request;
  if (object.metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  if (definition.type.namespaced) {
    if (!namespace) throw badRequest("an empty namespace may not be set during creation");
    checkNamespace(context, request, object, namespace);
  }
  if (!object.metadata.name && object.metadata.generateName)
    object.metadata.name = freeName(context, request, object.metadata.generateName);
  admitNew(context, request, object);
  admitPod(context, definition, object);
  admitByPolicies(context, request, { operation: "CREATE", object });
  const { name } = object.metadata;
  if (readObject(context.store, definition, namespace, name)) throw alreadyExists(subjectOf(definition, name));
  return dryRun ? object : writeObject(context.store, definition, object);
}

/** Kubernetes tries eight generated names before it gives up (KEP-4420). */
function freeName(
  context: ApiContext,
  request: Pick<ResourceRequest, "definition" | "namespace">,
  base: string,
): string {
  let name = generatedName(base);
  for (let attempt = 1; attempt < 8; attempt++) {
    if (!readObject(context.store, request.definition, request.namespace, name)) break;
    name = generatedName(base);
  }
  return name;
}

function checkNamespace(
  context: ApiContext,
  { definition }: Pick<ResourceRequest, "definition">,
  object: KubeObject,
  namespace: string,
): void {
  const found = context.store.get("/namespaces", namespace);
  if (!found) throw notFound({ group: "", plural: "namespaces", name: namespace });
  if (!found.metadata.deletionTimestamp) return;
  const subject = subjectOf(definition, object.metadata.name ?? "");
  const resource = subject.group ? `${subject.plural}.${subject.group}` : subject.plural;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refusal = forbidden(`${resource} "${subject.name}" is forbidden: ${why}`, subject);
  const message = `namespace ${namespace} is being terminated`;
  const causes = [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }];
  throw new StatusError({ ...refusal.status, details: { ...refusal.status.details, causes } });
}
