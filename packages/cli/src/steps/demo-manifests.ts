// The demo's manifests, as the steps of `up` apply them and `down` takes them away.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { join } from "node:path";
import { loadManifests } from "../manifest-files.ts";
import { manifestsDirectory } from "../program-files.ts";
import { wellKnownType } from "../well-known-types.ts";

/** The namespace of the gateway and of its Helm release. */
export const gatewayNamespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "traefik" } };
export const demoNamespaces = ["demo", gatewayNamespace.metadata.name];

/** The Gateway API's kinds that the demo has: for them nothing has to be discovered. */
export const gatewayTypes = [gatewayClasses, gateways, httpRoutes];

const applications = ["demo-namespace.yaml", "whoami-v1.yaml", "whoami-v2.yaml"];
const routes = ["gateway.yaml", "httproute-host.yaml", "httproute-path.yaml"];
const dashboardRoute = "httproute-dashboard.yaml";

/** whoami-v1 and whoami-v2 in their namespace. */
export const loadApplications = (): Promise<KubeObject[]> => load(applications);

/** The Gateway and the HTTPRoutes, that of the dashboard only on request. */
export const loadRoutes = (dashboard: boolean): Promise<KubeObject[]> =>
  load(dashboard ? [...routes, dashboardRoute] : routes);

async function load(names: string[]): Promise<KubeObject[]> {
  const manifests = await loadManifests(names.map((name) => join(manifestsDirectory(), name)));
  return manifests.map(({ object }) => object);
}

/** The type of an object of the demo. */
export function demoType(apiVersion: string, kind: string): ResourceType {
  const type = wellKnownType(apiVersion, kind) ?? gatewayTypes.find((each) => each.kind === kind);
  if (!type) throw new Error(`${apiVersion} ${kind} is of no type that the demo has`);
  return type;
}
