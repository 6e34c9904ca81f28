// What an `up` that finds the cluster running looks for: the demo's Gateway and routes may have been deleted since.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";

const wanted: { type: ResourceType; namespace: string; name: string }[] = [
  { type: gateways, namespace: "traefik", name: "traefik-gateway" },
  { type: httpRoutes, namespace: "traefik", name: "traefik-dashboard" },
  { type: httpRoutes, namespace: "demo", name: "whoami-host" },
  { type: httpRoutes, namespace: "demo", name: "whoami-path" },
];

/** Those that are not there, as `httproute/demo/whoami-host`. */
export async function missingDemoObjects(client: ApiClient): Promise<string[]> {
  const missing = await Promise.all(
    wanted.map(async ({ type, namespace, name }) => {
      try {
        await client.get(type, name, namespace);
        return [];
      } catch (error) {
        if (!hasReason(error, "NotFound")) throw error;
        return [`${type.kind.toLowerCase()}/${namespace}/${name}`];
      }
    }),
  );
  return missing.flat();
}
