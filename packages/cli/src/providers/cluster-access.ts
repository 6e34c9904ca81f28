// What providers have in common: whether an API server answers, where it is, which cluster it is.

import { type ApiClient, text } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { hasReason, StatusError } from "@gatehouse/apimachinery/status-error";
import { namespaces } from "@gatehouse/apimachinery/types/core-v1";
import type { ClusterState } from "../cluster-state.ts";
import type { ClusterFacts, EntryAddress } from "./provider.ts";

/** Why nothing answers within `timeoutMs`, e.g. `ECONNREFUSED`; undefined when it does. */
export async function whyUnreachable(
  connect: () => Promise<ApiClient>,
  path: "/readyz" | "/version",
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const client = await connect();
    try {
      await text(await client.stream({ method: "GET", path, signal: AbortSignal.timeout(timeoutMs) }));
      return undefined;
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof StatusError) return error.reason;
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

/** The API server of a kubeconfig context, when there is one. */
export async function serverOf(context: string): Promise<ClusterFacts> {
  try {
    const { server } = await loadConnection(context);
    return server ? { api: server } : {};
  } catch {
    return {};
  }
}

/** By what a cluster is told from another one that has its name and place: undefined when this user may not see it. */
export async function clusterIdentity(client: ApiClient): Promise<string | undefined> {
  try {
    return (await client.get(namespaces, "kube-system")).metadata.uid;
  } catch (error) {
    if (hasReason(error, "Forbidden") || hasReason(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Where this machine's port leads to the node's port 80. */
export function mappedEntry(state: Pick<ClusterState, "portMappings"> | undefined): EntryAddress | undefined {
  const mapping = state?.portMappings.find(({ containerPort }) => containerPort === 80);
  return mapping && { host: "127.0.0.1", port: mapping.hostPort };
}
