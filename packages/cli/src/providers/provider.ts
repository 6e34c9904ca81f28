// What a kind of cluster has to offer so that the steps of `up` and `down` are the same on all of them.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { PortMapping } from "../cluster-state.ts";
import type { Progress } from "../progress.ts";

export type ClusterPhase = "absent" | "stopped" | "running";

/** Where HTTP enters: the node's port as the user reaches it. */
export interface EntryAddress {
  host: string;
  port: number;
}

export interface ClusterProvider {
  readonly kind: "embedded";
  /** The kubeconfig context. */
  readonly context: string;
  phase(): Promise<ClusterPhase>;
  /** Creates the cluster or starts a stopped one; its API answers afterwards. Each visible piece of work is a step. */
  create(progress: Progress): Promise<void>;
  /** A client with the administrator's rights. The caller closes it. */
  connect(): Promise<ApiClient>;
  /** Installs the gateway implementation from Helm values. Idempotent. */
  installGateway(client: ApiClient, valuesFile: string): Promise<void>;
  /** Where the node's port 80 (or 443) is reached. */
  entry(containerPort: number): EntryAddress | undefined;
  /** Ends it and removes everything it made; true when there was something. */
  destroy(): Promise<boolean>;
}

/** `http://host[:port]`, without the port when it is the scheme's own. */
export function httpUrl(hostname: string, mapping: Pick<PortMapping, "hostPort">): string {
  return mapping.hostPort === 80 ? `http://${hostname}` : `http://${hostname}:${mapping.hostPort}`;
}
