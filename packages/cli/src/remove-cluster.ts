// Taking a cluster away with everything `up` made: process, state, kubeconfig context, hosts block.

import { kubeconfigPaths } from "@gatehouse/apimachinery/kubeconfig";
import type { ClusterState } from "./cluster-state.ts";
import { editHostsFile, withoutHostsBlock } from "./hosts-file.ts";
import { removeContext } from "./kubeconfig-file.ts";
import type { EmbeddedProvider } from "./providers/embedded/embedded-provider.ts";
import { pathToMerge } from "./steps/write-context.ts";

/** True when there was a cluster. The state goes last, so that a failure on the way can be taken up again. */
export async function removeCluster(provider: EmbeddedProvider): Promise<boolean> {
  const state = readableState(provider);
  if (state?.hostsFile) editHostsFile(state.hostsFile, (text) => withoutHostsBlock(text, provider.context));
  if (state?.kubeconfig) removeContext(state.kubeconfig, provider.context);
  return provider.destroy();
}

/** What can be known of a cluster whose file is damaged is that it has to go. */
function readableState(provider: EmbeddedProvider): Partial<ClusterState> | undefined {
  try {
    return provider.state;
  } catch {
    return { kubeconfig: { path: pathToMerge(kubeconfigPaths()), created: false } };
  }
}
