// Waiting until an object is really gone: finalizers and a pod's grace period take their time.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

export interface DeletedObject {
  type: ResourceType;
  name: string;
  namespace?: string;
  /** Another object of the same name does not count as the one that was deleted. */
  uid?: string;
}

/** Resolves true once the object is gone, false when `signal` aborts first. */
export async function untilGone(
  client: ApiClient,
  { type, name, namespace, uid }: DeletedObject,
  signal: AbortSignal,
): Promise<boolean> {
  const scope = { ...(namespace ? { namespace } : {}), fieldSelector: `metadata.name=${name}` };
  while (!signal.aborted) {
    const list = await client.list(type, scope);
    const found = list.items.find((item) => item.metadata.name === name);
    if (!found || (uid !== undefined && found.metadata.uid !== uid)) return true;
    const { resourceVersion } = list.metadata;
    for await (const event of client.watch(type, { ...scope, resourceVersion, signal, timeoutSeconds: 300 })) {
      if (event.type === "DELETED") return true;
      // History is gone, or the server gives up: a new list tells.
      if (event.type === "ERROR") break;
    }
  }
  return false;
}
