// What GatewayClass.status.supportedFeatures claims. A conformance run tests exactly this list, so a name is added together
// with the behaviour it stands for.

import type { GatewayApi } from "./translate-options.ts";

interface Feature {
  /** Name in sigs.k8s.io/gateway-api/pkg/features. */
  name: string;
  /** First carried release that has it; default v1.4.0. */
  since?: "v1.6.1";
  /** First carried release that has it in the standard channel; default: the first that has it at all. */
  standard?: "v1.6.1" | "never";
  /** Gateways must have addresses of their own for it. */
  ownAddress?: true;
}

const gateway: Feature[] = [
  { name: "Gateway" },
  { name: "GatewayAddressEmpty" },
  { name: "GatewayBackendClientCertificate", since: "v1.6.1" },
  { name: "GatewayFrontendClientCertificateValidation", since: "v1.6.1" },
  { name: "GatewayFrontendClientCertificateValidationInsecureFallback", since: "v1.6.1" },
  { name: "GatewayHTTPListenerIsolation" },
  { name: "GatewayHTTPSListenerDetectMisdirectedRequests", since: "v1.6.1" },
  { name: "GatewayInfrastructurePropagation" },
  { name: "GatewayPort8080", ownAddress: true },
  { name: "GatewayStaticAddresses", ownAddress: true },
  { name: "ListenerSet", since: "v1.6.1" },
  { name: "ReferenceGrant" },
];

const httpRoute: Feature[] = [
  { name: "HTTPRoute" },
  { name: "HTTPRoute303RedirectStatusCode", since: "v1.6.1" },
  { name: "HTTPRoute307RedirectStatusCode", since: "v1.6.1" },
  { name: "HTTPRoute308RedirectStatusCode", since: "v1.6.1" },
  { name: "HTTPRouteBackendProtocolH2C" },
  { name: "HTTPRouteBackendProtocolWebSocket" },
  { name: "HTTPRouteBackendRequestHeaderModification" },
  { name: "HTTPRouteBackendTimeout" },
  { name: "HTTPRouteCORS", standard: "v1.6.1" },
  { name: "HTTPRouteDestinationPortMatching", standard: "never" },
  { name: "HTTPRouteHostRewrite" },
  { name: "HTTPRouteMethodMatching" },
  { name: "HTTPRouteNamedRouteRule" },
  { name: "HTTPRouteParentRefPort" },
  { name: "HTTPRoutePathRedirect" },
  { name: "HTTPRoutePathRewrite" },
  { name: "HTTPRoutePortRedirect" },
  { name: "HTTPRouteQueryParamMatching" },
  { name: "HTTPRouteRequestMirror" },
  { name: "HTTPRouteRequestMultipleMirrors" },
  { name: "HTTPRouteRequestPercentageMirror" },
  { name: "HTTPRouteRequestTimeout" },
  { name: "HTTPRouteResponseHeaderModification" },
  { name: "HTTPRouteRetry", since: "v1.6.1", standard: "never" },
  { name: "HTTPRouteRetryBackendTimeout", since: "v1.6.1", standard: "never" },
  { name: "HTTPRouteRetryConnectionError", since: "v1.6.1", standard: "never" },
  { name: "HTTPRouteSchemeRedirect" },
];

const otherRoutes: Feature[] = [
  { name: "BackendTLSPolicy" },
  { name: "BackendTLSPolicySANValidation", standard: "v1.6.1" },
  { name: "GRPCRoute" },
  { name: "GRPCRouteNamedRouteRule" },
  { name: "TCPRoute", since: "v1.6.1", ownAddress: true },
  { name: "TLSRoute", standard: "v1.6.1" },
  { name: "TLSRouteModeMixed", since: "v1.6.1" },
  { name: "TLSRouteModeTerminate", since: "v1.6.1" },
  { name: "UDPRoute", standard: "v1.6.1", ownAddress: true },
];

/** Official features that are not claimed, by the beginning of their name, and why. */
export const absentFeatures: ReadonlyMap<string, string> = new Map([
  ["Mesh", "Gatehouse is a gateway: traffic between Services does not pass through it"],
]);

const features = [...gateway, ...httpRoute, ...otherRoutes];

/** The names of features begin with the kind that has them; the others belong to Gateway, without which there is nothing. */
const kindsOfFeatures = [
  "BackendTLSPolicy",
  "GRPCRoute",
  "HTTPRoute",
  "ListenerSet",
  "ReferenceGrant",
  "TCPRoute",
  "TLSRoute",
  "UDPRoute",
];

/** Names in ascending order, as the API asks. What belongs to a kind that the cluster does not know is not claimed. */
export function supportedFeatures({ release, channel, kinds }: GatewayApi, ownAddresses: boolean): string[] {
  const missing = kindsOfFeatures.filter((kind) => !kinds.has(kind));
  return features
    .filter(({ name, since = "v1.4.0", standard = since, ownAddress }) => {
      const first = channel === "experimental" ? since : standard;
      const isThere = first !== "never" && first <= release && !missing.some((kind) => name.startsWith(kind));
      return isThere && (ownAddresses || !ownAddress);
    })
    .map(({ name }) => name)
    .sort();
}
