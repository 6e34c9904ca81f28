// A small cluster of objects that refer to each other in every way, for tests that change them at random: few names, so that
// references hit, miss, clash and cross namespaces all the time.

import { join } from "node:path";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import type { ObjectKind } from "../translate/object-store.ts";
import { readObjects } from "./fixtures.ts";
import type { Random } from "./random.ts";

/** A place for one object. */
export interface Slot {
  kind: ObjectKind;
  namespace?: string;
  name: string;
}

const namespaces = ["a", "b", "c"];
const api = "gateway.networking.k8s.io";
const experimental = "gateway.networking.x-k8s.io";
const hosts = ["*.example.com", "a.example.com", "b.example.com", "*.b.example.com", "c.b.example.com", "other.test"];

const named = (kind: ObjectKind, count: number, prefix: string): Slot[] =>
  namespaces.flatMap((namespace) =>
    Array.from({ length: count }, (_, at): Slot => ({ kind, namespace, name: `${prefix}${at}` })),
  );

export const slots: readonly Slot[] = [
  ...namespaces.map((name): Slot => ({ kind: "namespaces", name })),
  ...["ours", "spare"].map((name): Slot => ({ kind: "gatewayClasses", name })),
  ...named("gateways", 1, "gateway"),
  ...named("listenerSets", 2, "set"),
  ...named("httpRoutes", 5, "route"),
  ...named("grpcRoutes", 2, "route"),
  ...named("tlsRoutes", 2, "route"),
  ...named("tcpRoutes", 1, "route"),
  ...named("udpRoutes", 1, "route"),
  ...named("services", 2, "service"),
  ...named("endpointSlices", 3, "slice"),
  ...named("referenceGrants", 1, "grant"),
  ...named("backendTLSPolicies", 2, "policy"),
  ...named("backendTrafficPolicies", 1, "policy"),
  ...named("xBackends", 1, "backend"),
  ...named("secrets", 1, "secret"),
  ...named("configMaps", 1, "authorities"),
];

const pairOf = readObjects(join(import.meta.dirname, "../translate/testdata/https-terminate.in.yaml")).find(
  ({ kind }) => kind === "Secret",
)?.data as Record<string, string>;
const authority = Buffer.from(pairOf["tls.crt"] ?? "", "base64").toString();

/** Some content for a slot, as the API server would hold it. */
export function randomObject({ kind, namespace, name }: Slot, random: Random): KubeObject {
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: `${kind}/${namespace}/${name}`,
    creationTimestamp: `2026-01-01T00:00:0${random.below(4)}Z`,
    generation: 1,
  };
  return { metadata, ...contents[kind](random, metadata) } as KubeObject;
}

type Content = (random: Random, metadata: { name: string; namespace?: string }) => object;

const contents: Record<ObjectKind, Content> = {
  namespaces: (random, { name }) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { team: random.pick(["x", "y"]) } },
  }),
  gatewayClasses: (random) => ({
    apiVersion: `${api}/v1`,
    kind: "GatewayClass",
    spec: { controllerName: random.once(6) ? "example.com/other" : "traefik.io/gateway-controller" },
  }),
  gateways: (random) => ({ apiVersion: `${api}/v1`, kind: "Gateway", spec: gatewaySpec(random) }),
  listenerSets: (random, { name }) => ({
    ...(name === "set0" ? { apiVersion: `${api}/v1` } : { apiVersion: `${experimental}/v1alpha1` }),
    kind: name === "set0" ? "ListenerSet" : "XListenerSet",
    spec: {
      parentRef: { kind: "Gateway", group: api, name: "gateway0", namespace: random.pick(namespaces) },
      listeners: random.list(1, 2, (at) => listener(random, at)),
    },
  }),
  httpRoutes: (random) => route("HTTPRoute", random, { hostnames: hostnames(random), rules: httpRules(random) }),
  grpcRoutes: (random) => route("GRPCRoute", random, { hostnames: hostnames(random), rules: grpcRules(random) }),
  tlsRoutes: (random) =>
    route("TLSRoute", random, { hostnames: random.list(1, 2, () => random.pick(hosts)), rules: streamRules(random) }),
  tcpRoutes: (random) => route("TCPRoute", random, { rules: streamRules(random) }),
  udpRoutes: (random) => route("UDPRoute", random, { rules: streamRules(random) }),
  services: (random) => ({
    apiVersion: "v1",
    kind: "Service",
    spec: {
      clusterIP: "127.0.0.1",
      ports: [
        { name: "http", port: 80, ...(random.once(4) ? { appProtocol: "kubernetes.io/h2c" } : {}) },
        { name: "dns", port: 53, protocol: random.pick(["TCP", "UDP"]) },
      ],
    },
  }),
  endpointSlices: (random, metadata) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { [serviceNameLabel]: `service${random.below(2)}` } },
    addressType: "IPv4",
    ports: [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "dns", port: 5353, protocol: "UDP" },
    ],
    endpoints: random.list(0, 2, () => ({
      addresses: [`127.0.1.${random.below(9)}`],
      conditions: { ready: !random.once(4) },
    })),
  }),
  referenceGrants: (random) => ({
    apiVersion: `${api}/v1beta1`,
    kind: "ReferenceGrant",
    spec: {
      from: random.list(1, 3, () => ({
        group: api,
        kind: random.pick(["HTTPRoute", "GRPCRoute", "TLSRoute", "Gateway", "ListenerSet"]),
        namespace: random.pick(namespaces),
      })),
      to: random.list(1, 2, () => ({ group: "", kind: random.pick(["Service", "Secret", "ConfigMap"]) })),
    },
  }),
  backendTLSPolicies: (random) => ({
    apiVersion: `${api}/v1`,
    kind: "BackendTLSPolicy",
    spec: {
      targetRefs: random.list(1, 2, () => target(random)),
      validation: {
        hostname: "backend.test",
        ...(random.once(3)
          ? { wellKnownCACertificates: "System" }
          : { caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "authorities0" }] }),
      },
    },
  }),
  backendTrafficPolicies: (random) => ({
    apiVersion: `${experimental}/v1alpha1`,
    kind: "XBackendTrafficPolicy",
    spec: {
      targetRefs: [{ group: "", kind: "Service", name: `service${random.below(2)}` }],
      retryConstraint: { budget: { percent: random.below(100), interval: "10s" } },
    },
  }),
  xBackends: (random) => ({
    apiVersion: `${experimental}/v1alpha1`,
    kind: "XBackend",
    spec: {
      type: "ExternalHostname",
      port: { port: 443 },
      externalHostname: { hostname: `${random.pick(["one", "two"])}.test` },
      protocol: "HTTP",
    },
  }),
  secrets: (random) => ({
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    data: random.once(4) ? {} : pairOf,
  }),
  configMaps: (random) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    data: random.once(4) ? {} : { "ca.crt": authority },
  }),
};

const target = (random: Random): object => ({
  group: "",
  kind: "Service",
  name: `service${random.below(3)}`,
  ...(random.once(3) ? { sectionName: random.pick(["http", "dns"]) } : {}),
});

const secretRef = (random: Random): object => ({
  name: "secret0",
  ...(random.once(2) ? { namespace: random.pick(namespaces) } : {}),
});

function gatewaySpec(random: Random): object {
  const frontend = {
    default: { validation: { caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "authorities0" }] } },
  };
  const tls = {
    ...(random.once(2) ? { frontend } : {}),
    ...(random.once(2) ? { backend: { clientCertificateRef: secretRef(random) } } : {}),
  };
  return {
    gatewayClassName: random.pick(["ours", "ours", "ours", "spare"]),
    listeners: random.list(1, 4, (at) => listener(random, at)),
    ...(random.once(2) ? { tls } : {}),
    ...(random.once(4) ? { addresses: [{ type: "IPAddress", value: `127.30.224.${1 + random.below(3)}` }] } : {}),
    ...(random.once(2) ? { allowedListeners: { namespaces: { from: random.pick(["All", "Same", "None"]) } } } : {}),
    ...(random.once(4) ? { defaultScope: "All" } : {}),
  };
}

function listener(random: Random, at: number): object {
  const protocol = random.pick(["HTTP", "HTTP", "HTTP", "HTTP", "HTTPS", "TLS", "TCP", "UDP"]);
  const secure = protocol === "HTTPS" || protocol === "TLS";
  const mode = protocol === "TLS" && random.once(2) ? "Passthrough" : "Terminate";
  const from = random.pick(["All", "All", "All", "All", "Same", "Selector"]);
  return {
    name: `l${random.once(8) ? 0 : at}`,
    protocol,
    port: protocol === "UDP" ? 8053 : random.pick(secure ? [8443, 9443] : [8000, 9100]),
    ...(random.once(2) && protocol !== "TCP" && protocol !== "UDP" ? { hostname: random.pick(hosts) } : {}),
    ...(secure ? { tls: { mode, certificateRefs: [secretRef(random)] } } : {}),
    allowedRoutes: {
      namespaces: { from, ...(from === "Selector" ? { selector: { matchLabels: { team: "x" } } } : {}) },
    },
  };
}

const route = (kind: string, random: Random, spec: object): object => ({
  apiVersion: `${api}/v1`,
  kind,
  spec: {
    parentRefs: random.list(random.once(8) ? 0 : 1, 2, () => parentRef(random)),
    ...(random.once(4) ? { useDefaultGateways: "All" } : {}),
    ...spec,
  },
});

const parentRef = (random: Random): object => ({
  ...random.pick([
    { name: "gateway0" },
    { name: "gateway0" },
    { name: "gateway0" },
    { name: "nobody" },
    { group: api, kind: "ListenerSet", name: "set0" },
    { group: experimental, kind: "XListenerSet", name: "set1" },
  ]),
  ...(random.once(2) ? { namespace: random.pick(namespaces) } : {}),
  ...(random.once(6) ? { sectionName: `l${random.below(3)}` } : {}),
  ...(random.once(6) ? { port: random.pick([8000, 8443]) } : {}),
});

const hostnames = (random: Random): string[] => random.list(0, 2, () => random.pick(hosts));

const backendRef = (random: Random): object => ({
  ...(random.once(8)
    ? { group: experimental, kind: "XBackend", name: "backend0" }
    : { name: `service${random.once(8) ? 2 : random.below(2)}`, port: random.pick([80, 80, 80, 80, 53]) }),
  ...(random.once(4) ? { namespace: random.pick(namespaces) } : {}),
  ...(random.once(3) ? { weight: random.below(3) } : {}),
});

const streamRules = (random: Random): object[] => [{ backendRefs: random.list(1, 2, () => backendRef(random)) }];

const httpRules = (random: Random): object[] =>
  random.list(1, 2, () => ({
    matches: random.list(0, 2, () => ({ path: { type: "PathPrefix", value: random.pick(["/", "/a", "/b"]) } })),
    filters: random.once(4) ? [{ type: "RequestMirror", requestMirror: { backendRef: backendRef(random) } }] : [],
    backendRefs: random.list(0, 2, () => backendRef(random)),
  }));

const grpcRules = (random: Random): object[] =>
  random.list(1, 2, () => ({
    matches: random.list(0, 1, () => ({ method: { service: random.pick(["x.One", "x.Two"]) } })),
    backendRefs: random.list(1, 2, () => backendRef(random)),
  }));
