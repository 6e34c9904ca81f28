// DELETE of a collection: every object the selectors name, each by the rules of a single deletion.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { admitByPolicies } from "../admission/admit.ts";
import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import { readDeleteOptions } from "../delete-options.ts";
import { deleteObject } from "../deletion.ts";
import { selectionOf } from "../storage/selection.ts";
import { present, resourceKey } from "../storage/stored-objects.ts";

/** Answers the list of what was deleted. */
export async function removeCollection(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const options = await readDeleteOptions(request);
  const { definition } = request;
  const selection = selectionOf(request);
  const selected: KubeObject[] = [];
  for (const [, stored] of context.store.scan(resourceKey(definition), selection.prefix)) {
    const object = present(definition, stored);
    if (selection.matches(object)) selected.push(object);
  }
  for (const old of selected) admitByPolicies(context, request, { operation: "DELETE", old });
  const items = selected.map((object) => deleteObject(context, definition, object, options).object);
  await context.store.committed();
  return { type: "list", items, metadata: { resourceVersion: String(context.store.revision) } };
}
