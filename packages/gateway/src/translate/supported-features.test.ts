// Claims are held against the official lists of features: each is claimed, or named as absent with a reason.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bundle } from "@gatehouse/gateway-api/bundle";
import { apiOf } from "../testing/fixtures.ts";
import { absentFeatures, supportedFeatures } from "./supported-features.ts";

/** `AllFeatures` of sigs.k8s.io/gateway-api/pkg/features, by channel. */
const official: Record<Bundle["version"], Record<Bundle["channel"], string>> = {
  "v1.4.0": {
    standard: `
      BackendTLSPolicy GRPCRoute GRPCRouteNamedRouteRule Gateway GatewayAddressEmpty
      GatewayHTTPListenerIsolation GatewayInfrastructurePropagation GatewayPort8080 GatewayStaticAddresses
      HTTPRoute HTTPRouteBackendProtocolH2C HTTPRouteBackendProtocolWebSocket
      HTTPRouteBackendRequestHeaderModification HTTPRouteBackendTimeout HTTPRouteHostRewrite
      HTTPRouteMethodMatching HTTPRouteNamedRouteRule HTTPRouteParentRefPort HTTPRoutePathRedirect
      HTTPRoutePathRewrite HTTPRoutePortRedirect HTTPRouteQueryParamMatching HTTPRouteRequestMirror
      HTTPRouteRequestMultipleMirrors HTTPRouteRequestPercentageMirror HTTPRouteRequestTimeout
      HTTPRouteResponseHeaderModification HTTPRouteSchemeRedirect Mesh MeshClusterIPMatching MeshConsumerRoute
      MeshHTTPRouteBackendRequestHeaderModification MeshHTTPRouteNamedRouteRule
      MeshHTTPRouteQueryParamMatching MeshHTTPRouteRedirectPath MeshHTTPRouteRedirectPort
      MeshHTTPRouteRewritePath MeshHTTPRouteSchemeRedirect ReferenceGrant`,
    experimental: `
      BackendTLSPolicySANValidation HTTPRouteCORS HTTPRouteDestinationPortMatching TLSRoute`,
  },
  "v1.6.1": {
    standard: `
      BackendTLSPolicy BackendTLSPolicySANValidation GRPCRoute GRPCRouteNamedRouteRule Gateway
      GatewayAddressEmpty GatewayBackendClientCertificate GatewayFrontendClientCertificateValidation
      GatewayFrontendClientCertificateValidationInsecureFallback GatewayHTTPListenerIsolation
      GatewayHTTPSListenerDetectMisdirectedRequests GatewayInfrastructurePropagation GatewayPort8080
      GatewayStaticAddresses HTTPRoute HTTPRoute303RedirectStatusCode HTTPRoute307RedirectStatusCode
      HTTPRoute308RedirectStatusCode HTTPRouteBackendProtocolH2C HTTPRouteBackendProtocolWebSocket
      HTTPRouteBackendRequestHeaderModification HTTPRouteBackendTimeout HTTPRouteCORS HTTPRouteHostRewrite
      HTTPRouteMethodMatching HTTPRouteNamedRouteRule HTTPRouteParentRefPort HTTPRoutePathRedirect
      HTTPRoutePathRewrite HTTPRoutePortRedirect HTTPRouteQueryParamMatching HTTPRouteRequestMirror
      HTTPRouteRequestMultipleMirrors HTTPRouteRequestPercentageMirror HTTPRouteRequestTimeout
      HTTPRouteResponseHeaderModification HTTPRouteSchemeRedirect ListenerSet Mesh MeshClusterIPMatching
      MeshConsumerRoute MeshHTTPRouteBackendRequestHeaderModification MeshHTTPRouteNamedRouteRule
      MeshHTTPRouteQueryParamMatching MeshHTTPRouteRedirectPath MeshHTTPRouteRedirectPort
      MeshHTTPRouteRewritePath MeshHTTPRouteSchemeRedirect ReferenceGrant TCPRoute TLSRoute
      TLSRouteModeTerminate UDPRoute`,
    experimental: `
      HTTPRouteDestinationPortMatching HTTPRouteRetry HTTPRouteRetryBackendTimeout
      HTTPRouteRetryConnectionError TLSRouteModeMixed`,
  },
};

/** A test of the suite asks for it, the list forgets it. */
const forgotten: Partial<Record<Bundle["version"], string[]>> = { "v1.4.0": ["UDPRoute"] };

/** Experimental as features, made of nothing but fields of the standard channel: where they are not claimed, the suite tests
 * that they are refused. */
const standardFields: Partial<Record<Bundle["version"], string[]>> = { "v1.6.1": ["TLSRouteModeMixed"] };

const listOf = ({ version, channel }: Bundle): string[] => {
  const { standard, experimental } = official[version];
  const names = channel === "standard" ? standard : standard + experimental;
  return names.split(/\s+/).filter((name) => name !== "");
};

const bundles = (["v1.4.0", "v1.6.1"] as const).flatMap((version) =>
  (["standard", "experimental"] as const).map((channel): Bundle => ({ version, channel })),
);

for (const bundle of bundles) {
  const { version, channel } = bundle;
  const claimed = supportedFeatures(apiOf(bundle), true);
  const isAbsent = (name: string): boolean => [...absentFeatures.keys()].some((prefix) => name.startsWith(prefix));

  test(`${version} ${channel}: every official feature is claimed, or absent for a reason`, () => {
    const missing = listOf(bundle).filter((name) => !claimed.includes(name) && !isAbsent(name));
    assert.deepEqual(missing, []);
    for (const [prefix, reason] of absentFeatures) assert.ok(reason.length > 20, prefix);
  });

  test(`${version} ${channel}: nothing is claimed that the release does not know`, () => {
    const further = channel === "experimental" ? forgotten[version] : standardFields[version];
    const known = [...listOf(bundle), ...(further ?? [])];
    assert.deepEqual(
      claimed.filter((name) => !known.includes(name)),
      [],
    );
    assert.deepEqual(
      claimed.filter((name) => isAbsent(name)),
      [],
    );
  });

  test(`${version} ${channel}: names are in order, each once (GatewayClassStatus.supportedFeatures)`, () => {
    assert.deepEqual(claimed, [...new Set(claimed)].sort());
    assert.ok(claimed.length <= 64);
  });
}

test("without addresses of their own, Gateways cannot have ports of their own", () => {
  const api = apiOf({ version: "v1.6.1", channel: "experimental" });
  const lost = supportedFeatures(api, true).filter((name) => !supportedFeatures(api, false).includes(name));
  assert.deepEqual(lost, ["GatewayPort8080", "GatewayStaticAddresses", "TCPRoute", "UDPRoute"]);
});

test("what belongs to a kind that the cluster does not know is not claimed", () => {
  const api = apiOf({ version: "v1.6.1", channel: "standard" });
  const without = (...missing: string[]) => {
    const kinds = new Set([...api.kinds].filter((kind) => !missing.includes(kind)));
    return supportedFeatures({ ...api, kinds }, true);
  };
  const lost = supportedFeatures(api, true).filter((name) => !without("TLSRoute", "TCPRoute").includes(name));
  assert.deepEqual(lost, ["TCPRoute", "TLSRoute", "TLSRouteModeMixed", "TLSRouteModeTerminate"]);
  assert.deepEqual(without("XBackend"), supportedFeatures(api, true));
});
