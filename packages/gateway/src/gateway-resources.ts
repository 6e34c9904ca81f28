// Where the API serves the kinds the gateway watches. Their definitions are in gateway-api; only the types are taken from
// there, because the schemas would cost the data plane's process start-up time and memory it has no use for.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { BackendTLSPolicy } from "@gatehouse/gateway-api/backend-tls-policy";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { GRPCRoute } from "@gatehouse/gateway-api/grpc-route";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { ListenerSet, XListenerSet } from "@gatehouse/gateway-api/listener-set";
import type { ReferenceGrant } from "@gatehouse/gateway-api/reference-grant";
import type { StreamRoute } from "@gatehouse/gateway-api/stream-route";
import type { TLSRoute } from "@gatehouse/gateway-api/tls-route";
import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import type { XBackendTrafficPolicy } from "@gatehouse/gateway-api/x-backend-traffic-policy";

export const gatewayGroup = "gateway.networking.k8s.io";
/** Of kinds that are not part of the API proper. */
export const experimentalGroup = "gateway.networking.x-k8s.io";

const gatewayApi = <T extends KubeObject>(
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceType<T> => ({ group: gatewayGroup, version, plural, kind, namespaced });

export const gatewayClasses = gatewayApi<GatewayClass>("v1", "gatewayclasses", "GatewayClass", false);
export const gateways = gatewayApi<Gateway>("v1", "gateways", "Gateway");
export const httpRoutes = gatewayApi<HTTPRoute>("v1", "httproutes", "HTTPRoute");
export const grpcRoutes = gatewayApi<GRPCRoute>("v1", "grpcroutes", "GRPCRoute");
/** Every release serves v1beta1; v1 exists only in the newer ones. */
export const referenceGrants = gatewayApi<ReferenceGrant>("v1beta1", "referencegrants", "ReferenceGrant");
export const backendTLSPolicies = gatewayApi<BackendTLSPolicy>("v1", "backendtlspolicies", "BackendTLSPolicy");
/** Since v1.6.1. */
export const listenerSets = gatewayApi<ListenerSet>("v1", "listenersets", "ListenerSet");

const experimental = <T extends KubeObject>(plural: string, kind: string): ResourceType<T> => ({
  group: experimentalGroup,
  version: "v1alpha1",
  plural,
  kind,
  namespaced: true,
});

/** Before v1.6.1. */
export const xListenerSets = experimental<XListenerSet>("xlistenersets", "XListenerSet");
export const backendTrafficPolicies = experimental<XBackendTrafficPolicy>(
  "xbackendtrafficpolicies",
  "XBackendTrafficPolicy",
);
/** Since v1.6.1. */
export const xBackends = experimental<XBackend>("xbackends", "XBackend");

/** In v1 since v1.6.1; before, and only in the experimental channel, in alpha versions. */
export const tlsRoutes = gatewayApi<TLSRoute>("v1", "tlsroutes", "TLSRoute");
export const tcpRoutes = gatewayApi<StreamRoute>("v1", "tcproutes", "TCPRoute");
export const udpRoutes = gatewayApi<StreamRoute>("v1", "udproutes", "UDPRoute");

/** All of them, by kind. */
const byKind: ReadonlyMap<string, ResourceType> = new Map(
  [
    gatewayClasses,
    gateways,
    httpRoutes,
    grpcRoutes,
    referenceGrants,
    backendTLSPolicies,
    listenerSets,
    xListenerSets,
    backendTrafficPolicies,
    xBackends,
    tlsRoutes,
    tcpRoutes,
    udpRoutes,
  ].map((type) => [type.kind, type]),
);

/** Where an object of one of these kinds is served: in the version it was read in. */
export function resourceTypeOf({ apiVersion, kind }: KubeObject): ResourceType {
  const type = byKind.get(kind);
  if (!type) throw new Error(`${kind} is no kind of the Gateway API`);
  return { ...type, version: apiVersion.slice(apiVersion.indexOf("/") + 1) };
}
