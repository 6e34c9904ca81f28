// UDPRoute: sends all datagrams of a listener to backends.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental, graduated } from "./bundle.ts";
import { routeStatus } from "./common-route.ts";
import { ageColumn, deprecation, kindObject, type KindDefinition } from "./kind-definition.ts";
import { GROUP_NAME } from "./names.ts";
import type { Infer } from "./schema-builder.ts";
import { streamRouteSpec, streamRouteSpecAlpha } from "./stream-route.ts";

const DESCRIPTION = "Sends UDP datagrams from Gateways to backends.";

export const udpRoute = kindObject(DESCRIPTION, {
  spec: streamRouteSpec,
  status: routeStatus.optional(),
});
export interface UDPRoute extends Infer<typeof udpRoute> {}

export const udpRoutes: ResourceType<UDPRoute> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "udproutes",
  kind: "UDPRoute",
  namespaced: true,
};

const common = { columns: [ageColumn], subresources: { status: {} } };
const v1alpha2 = {
  ...common,
  name: "v1alpha2",
  schema: kindObject(DESCRIPTION, { spec: streamRouteSpecAlpha, status: routeStatus.optional() }),
};

export const udpRouteKind: KindDefinition = {
  resource: udpRoutes,
  in: graduated,
  versions: [
    { ...common, name: "v1", schema: udpRoute, in: [{ since: "v1.6.1" }], storage: [{}] },
    { ...v1alpha2, in: [{ until: "v1.6.1" }], storage: [{}] },
    {
      ...v1alpha2,
      in: [{ since: "v1.6.1" }],
      served: [experimental],
      storage: [],
      deprecationWarning: deprecation("UDPRoute", "v1alpha2"),
    },
  ],
};
