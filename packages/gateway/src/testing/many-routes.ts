// A cluster as large as wanted: two Gateways, and routes in many namespaces, each with a host and a Service of its own.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { parseAddressPool } from "../gateway-addresses.ts";
import { controllerName } from "../translate/controller-name.ts";
import type { ObjectKind } from "../translate/object-store.ts";
import type { TranslateOptions } from "../translate/translate-options.ts";
import { Translator } from "../translate/translator.ts";
import { apiOf } from "./fixtures.ts";

const gatewayApi = "gateway.networking.k8s.io/v1";

export const manyRoutesOptions: TranslateOptions = {
  api: apiOf({ version: "v1.6.1", channel: "experimental" }),
  entryPoints: [{ name: "web", port: 8000, addresses: [{ host: "127.30.1.4", port: 8000 }] }],
  reservedPorts: new Map(),
  pool: parseAddressPool("127.30.224.0/24"),
  sharedAddresses: [],
  listenerProblems: new Map(),
};

const metadata = (name: string, namespace?: string, second = 0): KubeObject["metadata"] => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  uid: `${namespace}/${name}`,
  generation: 1,
  creationTimestamp: `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`,
});

export const gateway = (name: string, ports: readonly number[] = [8000]): KubeObject => ({
  apiVersion: gatewayApi,
  kind: "Gateway",
  metadata: metadata(name, "gateways"),
  spec: {
    gatewayClassName: "ours",
    listeners: ports.map((port) => ({
      name: `port-${port}`,
      protocol: "HTTP",
      port,
      allowedRoutes: { namespaces: { from: "All" } },
    })),
  },
});

export interface RouteOptions {
  namespace: string;
  hostname: string;
  gateway?: string;
  path?: string;
  service?: string;
  /** Creation time. */
  second?: number;
}

export const httpRoute = (name: string, options: RouteOptions): KubeObject => ({
  apiVersion: gatewayApi,
  kind: "HTTPRoute",
  metadata: metadata(name, options.namespace, options.second),
  spec: {
    parentRefs: [{ name: options.gateway ?? "first", namespace: "gateways" }],
    hostnames: [options.hostname],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: options.path ?? "/" } }],
        backendRefs: [{ name: options.service ?? name, port: 80 }],
      },
    ],
  },
});

export const service = (name: string, namespace: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(name, namespace),
  spec: { clusterIP: "127.30.0.1", ports: [{ port: 80 }] },
});

export const endpoints = (name: string, namespace: string, address: string): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { ...metadata(name, namespace), labels: { [serviceNameLabel]: name } },
  addressType: "IPv4",
  ports: [{ port: 8080, protocol: "TCP" }],
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
});

/** Where number `at` of the routes is. */
export const namespaceOf = (at: number, namespaces: number): string => `namespace-${at % namespaces}`;

/** A translator that knows Gateways `first` and `second` and `count` routes `route-0`, `route-1`, ... of `first`. */
export function manyRoutes(count: number, namespaces: number): Translator {
  const translator = new Translator();
  const add = (kind: ObjectKind, current: KubeObject): void => translator.change(kind, { current });
  add("gatewayClasses", {
    apiVersion: gatewayApi,
    kind: "GatewayClass",
    metadata: metadata("ours"),
    spec: { controllerName },
  });
  for (const name of ["first", "second"]) add("gateways", gateway(name));
  for (let at = 0; at < count; at++) {
    const namespace = namespaceOf(at, namespaces);
    const name = `route-${at}`;
    add("services", service(name, namespace));
    add("endpointSlices", endpoints(name, namespace, "127.30.1.10"));
    add("httpRoutes", httpRoute(name, { namespace, hostname: `host-${at}.test` }));
  }
  return translator;
}
