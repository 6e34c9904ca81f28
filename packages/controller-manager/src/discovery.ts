// Which kinds the API server serves, asked for as kubectl does (aggregated discovery, KEP-3352).

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

/** One resource in its preferred version. */
export interface ServedResource {
  type: ResourceType;
  verbs: string[];
}

interface GroupList {
  items: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind?: { kind: string };
        scope: "Namespaced" | "Cluster";
        verbs: string[];
      }[];
    }[];
  }[];
}

const accept =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/** Every resource (no subresources), each once, in the first version its group lists it in. */
export async function servedResources(client: ApiClient): Promise<ServedResource[]> {
  const lists = await Promise.all(
    ["/api", "/apis"].map((path) => client.json<GroupList>({ method: "GET", path, headers: { accept } })),
  );
  const found = new Map<string, ServedResource>();
  for (const { metadata, versions } of lists.flatMap((list) => list.items)) {
    const group = metadata.name ?? "";
    for (const { version, resources = [] } of versions) {
      for (const { resource: plural, responseKind, scope, verbs } of resources) {
        const key = `${group}/${plural}`;
        if (found.has(key) || !responseKind) continue;
        found.set(key, {
          type: { group, version, plural, kind: responseKind.kind, namespaced: scope === "Namespaced" },
          verbs,
        });
      }
    }
  }
  return [...found.values()];
}
