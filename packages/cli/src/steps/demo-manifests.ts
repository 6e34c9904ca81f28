// The demo's manifests, as the steps of `up` apply them and `down` takes them away.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { join } from "node:path";
import { loadManifests } from "../manifest-files.ts";
import { manifestsDirectory } from "../program-files.ts";

/** The namespace of the gateway and of its Helm release. */
export const gatewayNamespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "traefik" } };

const applications = ["demo-namespace.yaml", "whoami-v1.yaml", "whoami-v2.yaml"];
const routes = ["gateway.yaml", "httproute-host.yaml", "httproute-path.yaml", "httproute-dashboard.yaml"];

/** whoami-v1 and whoami-v2 in their namespace. */
export const loadApplications = (): Promise<KubeObject[]> => load(applications);

/** The Gateway and the three HTTPRoutes. */
export const loadRoutes = (): Promise<KubeObject[]> => load(routes);

async function load(names: string[]): Promise<KubeObject[]> {
  const manifests = await loadManifests(names.map((name) => join(manifestsDirectory(), name)));
  return manifests.map(({ object }) => object);
}
