// GET of one object.

import { notFound } from "@gatehouse/apimachinery/status-error";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { requestedRevision } from "../storage/resource-version.ts";
import { readObject } from "../storage/stored-objects.ts";

/** Throws 404. */
export async function get(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, namespace, name = "", query } = request;
  await context.store.settled();
  requestedRevision(query, context.store.revision);
  const object = readObject(context.store, definition, namespace, name);
  if (!object) throw notFound(subjectOf(definition, name));
  return { type: "object", code: 200, object };
}
