// What `up` and `status` say of a cluster: where it is and how to reach it.

import type { PortMapping } from "./cluster-state.ts";
import type { EmbeddedProvider } from "./providers/embedded/embedded-provider.ts";
import { httpUrl } from "./providers/provider.ts";

export interface ClusterSummary {
  name: string;
  context: string;
  kubeconfig?: string;
  api?: string;
  nodeIP?: string;
  ports: PortMapping[];
  urls: string[];
}

export function clusterSummary(provider: EmbeddedProvider): ClusterSummary {
  const { state, runtime } = provider;
  const http = state?.portMappings.find((mapping) => mapping.containerPort === 80);
  return {
    name: state?.name ?? "",
    context: provider.context,
    ...(state?.kubeconfig ? { kubeconfig: state.kubeconfig.path } : {}),
    ...(runtime ? { api: `https://127.0.0.1:${runtime.apiPort}`, nodeIP: runtime.nodeIP } : {}),
    ports: state?.portMappings ?? [],
    urls: http ? demoUrls(http) : [],
  };
}

function demoUrls(http: PortMapping): string[] {
  return [
    httpUrl("whoami.localhost", http),
    `${httpUrl("demo.localhost", http)}/v1`,
    `${httpUrl("demo.localhost", http)}/v2`,
    `${httpUrl("traefik.localhost", http)}/dashboard/`,
  ];
}
