// What is remembered of a kind cluster, and whether the one that the engine shows is it.

import { createHash } from "node:crypto";
import type { ClusterState } from "../../cluster-state.ts";
import type { KubeconfigChange } from "../../kubeconfig-file.ts";
import type { NodeContainer } from "./container-engine.ts";

export interface KindState extends ClusterState {
  /** How far `kind create cluster` came. What it began and did not end is half a cluster. */
  made: "no" | "begun" | "yes";
  /** What was in the kubeconfig before kind wrote to it. */
  kubeconfig?: KubeconfigChange;
}

/** `absent`: nothing is there. `half`: ours, not to be gone on with. `whole`: ours. `foreign`: somebody else's. */
export type Ownership = "absent" | "half" | "whole" | "foreign";

/**
 * The name of an empty folder in `directory`, the cluster's state, that is mounted into its nodes: by it the engine shows
 * whose they are, from the first moment on and even when the state is lost.
 */
export function clusterMark(directory: string): string {
  return `gatehouse-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`;
}

export function ownership(
  state: Pick<KindState, "made"> | undefined,
  nodes: Pick<NodeContainer, "mounts">[],
  directory: string,
): Ownership {
  if (nodes.length === 0) return "absent";
  if (!nodes.every(({ mounts }) => mounts.includes(clusterMark(directory)))) return "foreign";
  return state?.made === "yes" ? "whole" : "half";
}
