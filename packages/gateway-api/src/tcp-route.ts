// TCPRoute: sends all connections of a listener to backends.

import type { KindDefinition } from "./kind-definition.ts";
import { streamRouteKind } from "./stream-route.ts";

export const tcpRouteKind: KindDefinition = streamRouteKind(
  "TCPRoute",
  "Sends TCP connections from Gateways to backends.",
);
