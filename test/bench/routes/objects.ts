// What the bench makes in a cluster.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";

/** On everything that is made: which bench it belongs to. */
export const benchLabels = { "gatehouse.dev/bench": "routes" };

export const gatewayName = "bench";
export const backendName = "whoami";
/** Ports of the backend's Service; both lead to every pod, each to a container of its own. */
export const servicePorts = { first: 80, second: 8080 };
/** What the pods listen on. */
export const containerPorts = { first: 80, second: 8081 };

const gatewayApi = "gateway.networking.k8s.io/v1";

export const namespace = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: benchLabels },
});

export const gateway = (namespace: string, className: string, port: number): KubeObject => ({
  apiVersion: gatewayApi,
  kind: "Gateway",
  metadata: { name: gatewayName, namespace, labels: benchLabels },
  spec: {
    gatewayClassName: className,
    listeners: [{ name: "web", protocol: "HTTP", port, allowedRoutes: { namespaces: { from: "All" } } }],
  },
});

/** One pod that answers on two ports, saying on which. */
export function deployment(namespace: string): KubeObject {
  const container = (name: keyof typeof containerPorts): unknown => ({
    name,
    image: "traefik/whoami:v1.11.0",
    env: [
      { name: "WHOAMI_NAME", value: name },
      { name: "WHOAMI_PORT_NUMBER", value: String(containerPorts[name]) },
    ],
    ports: [{ name, containerPort: containerPorts[name] }],
    readinessProbe: { httpGet: { path: "/health", port: name }, periodSeconds: 2 },
  });
  const labels = { app: backendName };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: backendName, namespace, labels: benchLabels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container("first"), container("second")] } },
    },
  };
}

export const service = (namespace: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: backendName, namespace, labels: benchLabels },
  spec: {
    selector: { app: backendName },
    ports: (["first", "second"] as const).map((name) => ({
      name,
      port: servicePorts[name],
      targetPort: containerPorts[name],
    })),
  },
});

/** Routes of `from` may use what is in `namespace`. */
export const referenceGrant = (from: string, namespace: string): KubeObject => ({
  apiVersion: "gateway.networking.k8s.io/v1beta1",
  kind: "ReferenceGrant",
  metadata: { name: from, namespace, labels: benchLabels },
  spec: {
    from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: from }],
    to: [{ group: "", kind: "Service" }],
  },
});

export interface RoutePlace {
  namespace: string;
  host: string;
  /** Where the Gateway and the backend are. */
  base: string;
}

/** One host, one path; a header is set on the way there and back. */
export const httpRoute = (name: string, { namespace, host, base }: RoutePlace): HTTPRoute => ({
  apiVersion: gatewayApi,
  kind: "HTTPRoute",
  metadata: { name, namespace, labels: benchLabels },
  spec: {
    parentRefs: [{ name: gatewayName, namespace: base, sectionName: "web" }],
    hostnames: [host],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        filters: [
          { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "x-bench", value: name }] } },
          { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-bench", value: name }] } },
        ],
        backendRefs: [{ name: backendName, namespace: base, port: servicePorts.first }],
      },
    ],
  },
});
