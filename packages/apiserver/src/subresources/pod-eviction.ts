// POST of an Eviction: a deletion that budgets could refuse. There are no PodDisruptionBudgets here, so none does.

import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import { decodeBody } from "../http/decode-body.ts";
import { deleteOptionsOf } from "../delete-options.ts";
import { removeWith } from "../verbs/delete.ts";

/** Answers 201 with a Status. Throws what a DELETE throws. */
export async function evictPod(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const eviction = (await decodeBody(request.body)) as { deleteOptions?: object } | null;
  const dryRun = request.query.getAll("dryRun");
  const options = deleteOptionsOf({ ...eviction?.deleteOptions, ...(dryRun.length > 0 ? { dryRun } : {}) });
  await removeWith(context, request, options);
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  return { type: "json", code: 201, body };
}
