// The way in from outside on a cluster of somebody's: a Service of its own beside the chart's, because the chart's has the
// dashboard's port too, which asks nobody for a password, and because Helm 3 would wait for its address for ever.

import type { KubeObject } from "@gatehouse/apimachinery/meta";

export const loadBalancerName = "traefik-lb";

/** In front of the pods of the release traefik/traefik. */
export const loadBalancer: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: loadBalancerName, namespace: "traefik", labels: { "app.kubernetes.io/name": "traefik" } },
  spec: {
    type: "LoadBalancer",
    selector: { "app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik-traefik" },
    ports: ["web", "websecure"].map((name, index) => ({
      name,
      port: index === 0 ? 80 : 443,
      targetPort: name,
      protocol: "TCP",
    })),
  },
};
