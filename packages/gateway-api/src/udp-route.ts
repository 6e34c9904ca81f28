// UDPRoute: sends all datagrams of a listener to backends.

import type { KindDefinition } from "./kind-definition.ts";
import { streamRouteKind } from "./stream-route.ts";

export const udpRouteKind: KindDefinition = streamRouteKind(
  "UDPRoute",
  "Sends UDP datagrams from Gateways to backends.",
);
