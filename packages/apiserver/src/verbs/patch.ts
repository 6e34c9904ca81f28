// PATCH of an object, or of its status alone: the patched tree then passes what a PUT passes.

import { notFound } from "@gatehouse/apimachinery/status-error";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { type Body, unsupported } from "../http/decode-body.ts";
import { decodeJson } from "../http/decode-json.ts";
import { readObject } from "../storage/stored-objects.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { invalidOption, isDryRun } from "../request-options.ts";
import { admitChange, type ChangeScope, decodeObject, storeChange } from "../write-pipeline.ts";

/** From a private copy of the present object to the wanted one. */
export type ApplyPatch = (document: unknown) => unknown;

const applyType = "application/apply-patch+yaml";

/** Refuses to create, where no PATCH does. */
const never = (): never => {
  throw new Error("this subresource creates nothing");
};

/** Answers 200, and 201 for an apply that made the object, which `mayCreate` may forbid. Throws 404, 409 when the patch carries a stale resourceVersion, 415 for unknown patch types, 422 for faults. */
export async function patch(
  context: ApiContext,
  request: ResourceRequest,
  scope: ChangeScope = "object",
  mayCreate: () => void = never,
): Promise<Answer> {
  if (isApply(request.body)) return (await import("./apply.ts")).apply(context, request, scope, mayCreate);
  checkForce(request.query);
  const dryRun = isDryRun(request);
  const { definition, namespace, name = "" } = request;
  const apply = await patchOf(request.body, definition, context.registry.isCustom(definition));
  const old = readObject(context.store, definition, namespace, name);
  if (!old) throw notFound(subjectOf(definition, name));
  const object = decodeObject(request, apply(structuredClone(old)));
  const next = admitChange(context, request, old, object, scope);
  const stored = dryRun ? next : storeChange(context, definition, old, next);
  await context.store.committed();
  return { type: "object", code: 200, object: stored };
}

/** True for a PATCH that is a server-side apply. */
export function isApply({ contentType }: Body): boolean {
  return contentType === applyType;
}

function checkForce(query: URLSearchParams): void {
  if (!query.has("force")) return;
  const message = "Forbidden: may not be specified for non-apply patch";
  const cause = { reason: "FieldValueForbidden", message, field: "force" };
  throw invalidOption("patch", cause);
}

/** The body as a function on documents. Throws 400 for what cannot be read and 415 for patch types not served. */
export async function patchOf(body: Body, definition: ResourceDefinition, custom: boolean): Promise<ApplyPatch> {
  switch (body.contentType) {
    case "application/json-patch+json": {
      const operations = decodeJson(body.bytes);
      const { jsonPatch } = await import("../patch/json-patch.ts");
      return (document) => jsonPatch(document, operations);
    }
    case "application/merge-patch+json": {
      const change = decodeJson(body.bytes);
      const { mergePatch } = await import("../patch/merge-patch.ts");
      return (document) => mergePatch(document, change);
    }
    case "application/strategic-merge-patch+json": {
      if (custom) break;
      const change = decodeJson(body.bytes);
      const { strategicMerge } = await import("../patch/strategic-merge.ts");
      return (document) => strategicMerge(definition.schema, document, change);
    }
  }
  const accepted = ["application/json-patch+json", "application/merge-patch+json"];
  if (!custom) accepted.push("application/strategic-merge-patch+json");
  accepted.push(applyType);
  throw unsupported(body.contentType, accepted);
}
