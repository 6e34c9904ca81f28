// What an `up` that finds the cluster running looks for: the demo's Gateway and routes may have been deleted since.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { demoType, loadRoutes } from "./demo-manifests.ts";

/** Those that are not there, as `httproute/demo/whoami-host`. */
export async function missingDemoObjects(client: ApiClient, dashboard: boolean): Promise<string[]> {
  const missing = await Promise.all(
    (await loadRoutes(dashboard)).map(async ({ apiVersion, kind, metadata: { name, namespace } }) => {
      try {
        await client.get(demoType(apiVersion, kind), name, namespace);
        return [];
      } catch (error) {
        // The object, or its whole kind.
        if (!(error instanceof StatusError && error.code === 404)) throw error;
        return [`${kind.toLowerCase()}/${namespace}/${name}`];
      }
    }),
  );
  return missing.flat();
}
