// TCPRoute: sends all connections of a listener to backends.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental, graduated } from "./bundle.ts";
import { routeStatus } from "./common-route.ts";
import { ageColumn, deprecation, kindObject, type KindDefinition } from "./kind-definition.ts";
import { GROUP_NAME } from "./names.ts";
import type { Infer } from "./schema-builder.ts";
import { streamRouteSpec, streamRouteSpecAlpha } from "./stream-route.ts";

const DESCRIPTION = "Sends TCP connections from Gateways to backends.";

export const tcpRoute = kindObject(DESCRIPTION, {
  spec: streamRouteSpec,
  status: routeStatus.optional(),
});
export interface TCPRoute extends Infer<typeof tcpRoute> {}

export const tcpRoutes: ResourceType<TCPRoute> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "tcproutes",
  kind: "TCPRoute",
  namespaced: true,
};

const common = { columns: [ageColumn], subresources: { status: {} } };
const v1alpha2 = {
  ...common,
  name: "v1alpha2",
  schema: kindObject(DESCRIPTION, { spec: streamRouteSpecAlpha, status: routeStatus.optional() }),
};

export const tcpRouteKind: KindDefinition = {
  resource: tcpRoutes,
  in: graduated,
  versions: [
    { ...common, name: "v1", schema: tcpRoute, in: [{ since: "v1.6.1" }], storage: [{}] },
    { ...v1alpha2, in: [{ until: "v1.6.1" }], storage: [{}] },
    {
      ...v1alpha2,
      in: [{ since: "v1.6.1" }],
      served: [experimental],
      storage: [],
      deprecationWarning: deprecation("TCPRoute", "v1alpha2"),
    },
  ],
};
