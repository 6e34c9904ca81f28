// What is remembered of a kind cluster, and whether the one that the engine shows is it.

import type { ClusterState } from "../../cluster-state.ts";
import type { KubeconfigChange } from "../../kubeconfig-file.ts";
import type { NodeContainer } from "./container-engine.ts";

export interface KindState extends ClusterState {
  /** How far `kind create cluster` came. What it began and did not end is half a cluster. */
  made: "no" | "begun" | "yes";
  /** The nodes' containers once made: a cluster of the same name with others is somebody else's. */
  containers?: string[];
  /** What was in the kubeconfig before kind wrote to it. */
  kubeconfig?: KubeconfigChange;
}

/** `absent`: nothing is there. `half`: ours, not to be gone on with. `whole`: ours. `foreign`: somebody else's. */
export function ownership(
  state: Pick<KindState, "made" | "containers"> | undefined,
  nodes: Pick<NodeContainer, "id">[],
): "absent" | "half" | "whole" | "foreign" {
  if (nodes.length === 0) return "absent";
  if (!state || state.made === "no") return "foreign";
  if (state.made === "begun") return "half";
  return nodes.some(({ id }) => state.containers?.includes(id)) ? "whole" : "foreign";
}
