// The Gateway API's CustomResourceDefinitions, as the release's install files would create them.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { backendTLSPolicyKind } from "./backend-tls-policy.ts";
import { type Bundle, BUNDLE_VERSIONS, CHANNELS, everywhere, isAvailable } from "./bundle.ts";
import { gatewayKind } from "./gateway.ts";
import { gatewayClassKind } from "./gateway-class.ts";
import { grpcRouteKind } from "./grpc-route.ts";
import { httpRouteKind } from "./http-route.ts";
import { type KindDefinition, renderCustomResourceDefinition } from "./kind-definition.ts";
import { listenerSetKind, xListenerSetKind } from "./listener-set.ts";
import { referenceGrantKind } from "./reference-grant.ts";
import { tcpRouteKind } from "./tcp-route.ts";
import { tlsRouteKind } from "./tls-route.ts";
import { udpRouteKind } from "./udp-route.ts";
import { xBackendKind } from "./x-backend.ts";
import { xBackendTrafficPolicyKind } from "./x-backend-traffic-policy.ts";
import { xMeshKind } from "./x-mesh.ts";

const kinds: readonly KindDefinition[] = [
  gatewayClassKind,
  gatewayKind,
  httpRouteKind,
  grpcRouteKind,
  referenceGrantKind,
  backendTLSPolicyKind,
  listenerSetKind,
  tlsRouteKind,
  tcpRouteKind,
  udpRouteKind,
  xListenerSetKind,
  xBackendTrafficPolicyKind,
  xBackendKind,
  xMeshKind,
];

/** The CRDs of a bundle, without status; a fresh tree at each call. Throws a RangeError for a bundle not carried. */
export function customResourceDefinitions(bundle: Bundle): KubeObject[] {
  const { version, channel } = bundle;
  if (!BUNDLE_VERSIONS.includes(version) || !CHANNELS.includes(channel)) {
    throw new RangeError(
      `No Gateway API bundle ${version} ${channel}: versions are ${BUNDLE_VERSIONS.join(", ")}, channels ${CHANNELS.join(", ")}`,
    );
  }
  return kinds
    .filter((kind) => isAvailable(kind.in ?? everywhere, bundle))
    .map((kind) => renderCustomResourceDefinition(kind, bundle));
}
