// Lists and watches that carry metadata only, for whoever watches every kind there is, or very large objects.

import { type ApiClient, clientOver, type WatchEvent } from "./api-client.ts";
import type { KubeList, KubeObject } from "./meta.ts";

const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const acceptEvents = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/** For `list` and `watch`. Servers that send whole objects all the same have them cut down on arrival; annotations are kept
 * if they are asked for. */
export function metadataClient(client: ApiClient, { annotations = false } = {}): ApiClient {
  const cut = <T extends KubeObject>(object: T): T => cutDown(object, annotations);
  const partial = clientOver({
    request: (request) => {
      const watching = request.path.includes("watch=true");
      return client.stream({ ...request, headers: { ...request.headers, accept: watching ? acceptEvents : accept } });
    },
    // The connection is the caller's.
    close: () => undefined,
  });
  return {
    ...partial,
    list: async <T extends KubeObject>(...parameters: Parameters<typeof partial.list<T>>): Promise<KubeList<T>> => {
      const list = await partial.list<T>(...parameters);
      return { ...list, items: list.items.map((item) => cut(item)) };
    },
    watch: async function* <T extends KubeObject>(...parameters: Parameters<typeof partial.watch<T>>) {
      for await (const event of partial.watch<T>(...parameters)) {
        yield event.type === "ERROR" ? event : ({ ...event, object: cut(event.object) } satisfies WatchEvent<T>);
      }
    },
  };
}

function cutDown<T extends KubeObject>({ apiVersion, kind, metadata }: T, withAnnotations: boolean): T {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp, annotations } =
    metadata;
  const kept = { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp };
  // What is cut away is what this client's callers never read.
  return { apiVersion, kind, metadata: withAnnotations ? { ...kept, annotations } : kept } as unknown as T;
}
