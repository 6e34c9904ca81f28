// What cluster.json holds of an embedded cluster beside what it holds of every cluster.

import type { ClusterState } from "../../cluster-state.ts";
import type { KubeconfigChange } from "../../kubeconfig-file.ts";

export interface EmbeddedState extends ClusterState {
  /** Kept across restarts so that kubeconfigs stay valid; 0 until the first start chose one. */
  apiPort: number;
  /** The `N` of 127.N.0.0/16 used last, tried first at the next start. */
  subnet?: number;
  /** The kubeconfig file the context was written to, and what `down` is to restore. */
  kubeconfig?: KubeconfigChange;
  /** What plays the image `traefik`; absent = the built-in gateway. */
  gateway?: { kind: "traefik"; binary: string };
}

/** A Traefik program that was found and can be run here. */
export interface TraefikBinary {
  path: string;
  version: string;
}

/** What the cluster's one node is called: as kind's. */
export function nodeNameOf({ context }: Pick<EmbeddedState, "context">): string {
  return `${context}-control-plane`;
}
