// Where the API serves the kinds the gateway watches. Their definitions are in gateway-api; only the types are taken from
// there, because the schemas would cost the data plane's process start-up time and memory it has no use for.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { ReferenceGrant } from "@gatehouse/gateway-api/reference-grant";

export const gatewayGroup = "gateway.networking.k8s.io";

const gatewayApi = <T extends KubeObject>(
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceType<T> => ({ group: gatewayGroup, version, plural, kind, namespaced });

export const gatewayClasses = gatewayApi<GatewayClass>("v1", "gatewayclasses", "GatewayClass", false);
export const gateways = gatewayApi<Gateway>("v1", "gateways", "Gateway");
export const httpRoutes = gatewayApi<HTTPRoute>("v1", "httproutes", "HTTPRoute");
/** Every release serves v1beta1; v1 exists only in the newer ones. */
export const referenceGrants = gatewayApi<ReferenceGrant>("v1beta1", "referencegrants", "ReferenceGrant");
