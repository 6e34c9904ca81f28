// What GatewayClass.status.supportedFeatures claims. A conformance run tests exactly this list, so a name is added
// together with the behaviour it stands for.

/** Names of sigs.k8s.io/gateway-api/pkg/features, sorted. */
const features: readonly string[] = [
  "Gateway",
  "GatewayAddressEmpty",
  "GatewayHTTPListenerIsolation",
  "GatewayPort8080",
  "GatewayStaticAddresses",
  "HTTPRoute",
  "HTTPRouteBackendProtocolWebSocket",
  "HTTPRouteBackendRequestHeaderModification",
  "HTTPRouteBackendTimeout",
  "HTTPRouteHostRewrite",
  "HTTPRouteMethodMatching",
  "HTTPRouteNamedRouteRule",
  "HTTPRouteParentRefPort",
  "HTTPRoutePathRedirect",
  "HTTPRoutePathRewrite",
  "HTTPRoutePortRedirect",
  "HTTPRouteQueryParamMatching",
  "HTTPRouteRequestTimeout",
  "HTTPRouteResponseHeaderModification",
  "HTTPRouteSchemeRedirect",
  "ReferenceGrant",
];

/** These need an address for each Gateway. */
const needOwnAddresses = new Set(["GatewayPort8080", "GatewayStaticAddresses"]);

export function supportedFeatures(ownAddresses: boolean): string[] {
  return features.filter((name) => ownAddresses || !needOwnAddresses.has(name));
}
