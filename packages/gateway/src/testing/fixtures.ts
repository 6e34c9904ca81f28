// For tests of the translation: objects of a YAML file, as the API server would hold them, and what stands around a gateway.

import { readFileSync } from "node:fs";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Bundle } from "@gatehouse/gateway-api/bundle";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { parseAllDocuments } from "yaml";
import { parseAddressPool } from "../gateway-addresses.ts";
import type { GatewayObjects } from "../translate/gateway-objects.ts";
import type { GatewayApi, TranslateOptions } from "../translate/translate-options.ts";

export function readObjects(path: string): KubeObject[] {
  return parseAllDocuments(readFileSync(path, "utf8")).map((document) => document.toJSON() as KubeObject);
}

/** The objects by kind. */
export function pickObjects(objects: readonly { kind: string }[]): GatewayObjects {
  const ofKind = (...kinds: string[]) => objects.filter(({ kind }) => kinds.includes(kind)) as never[];
  return {
    gatewayClasses: ofKind("GatewayClass"),
    gateways: ofKind("Gateway"),
    listenerSets: ofKind("ListenerSet", "XListenerSet"),
    httpRoutes: ofKind("HTTPRoute"),
    grpcRoutes: ofKind("GRPCRoute"),
    tlsRoutes: ofKind("TLSRoute"),
    tcpRoutes: ofKind("TCPRoute"),
    udpRoutes: ofKind("UDPRoute"),
    referenceGrants: ofKind("ReferenceGrant"),
    backendTLSPolicies: ofKind("BackendTLSPolicy"),
    backendTrafficPolicies: ofKind("XBackendTrafficPolicy"),
    xBackends: ofKind("XBackend"),
    services: ofKind("Service"),
    endpointSlices: ofKind("EndpointSlice"),
    namespaces: ofKind("Namespace"),
    secrets: ofKind("Secret"),
    configMaps: ofKind("ConfigMap"),
  };
}

/** The API as a bundle installs it. */
export function apiOf(bundle: Bundle): GatewayApi {
  const names = customResourceDefinitions(bundle).map(({ spec }) => (spec as { names: { kind: string } }).names.kind);
  return { release: bundle.version, channel: bundle.channel, kinds: new Set(names) };
}

/**
 * A gateway with entrypoints web (8000) and websecure (8443). Among `objects` a ConfigMap `translate-options` may say
 * otherwise: `addresses` (CIDR, or "" for none), `api` (e.g. v1.4.0/standard), `unsupported` (what the API says of itself),
 * `udp` (anything, for an entrypoint dns of port 8053), and `problems` (JSON: proxy listener -> why it could not be opened).
 * Its `refused` is for golden-inputs.test.ts.
 */
export function optionsFor(objects: readonly KubeObject[]): TranslateOptions {
  const given = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "translate-options");
  const data = (given?.data ?? {}) as Record<string, string>;
  const cidr = data.addresses ?? "127.30.224.0/19";
  const [version, channel] = (data.api ?? "v1.6.1/experimental").split("/");
  return {
    api: { ...apiOf({ version, channel } as Bundle), ...(data.unsupported ? { unsupported: data.unsupported } : {}) },
    entryPoints: [
      { name: "web", port: 8000, addresses: [{ host: "127.30.1.4", port: 8000 }] },
      { name: "websecure", port: 8443, addresses: [{ host: "127.30.1.4", port: 8443 }] },
      ...(data.udp
        ? [{ name: "dns", port: 8053, transport: "udp" as const, addresses: [{ host: "127.30.1.4", port: 8053 }] }]
        : []),
    ],
    reservedPorts: new Map([[9000, "traefik"]]),
    ...(cidr === "" ? {} : { pool: parseAddressPool(cidr) }),
    sharedAddresses: [{ type: "IPAddress", value: "127.30.1.4" }],
    listenerProblems: new Map(Object.entries(JSON.parse(data.problems ?? "{}") as Record<string, string>)),
  };
}
