// Taking a cluster away with everything `up` made: the block in the hosts file, then what its provider made.

import { type ClusterState, readClusterState } from "./cluster-state.ts";
import { editHostsFile, withoutHostsBlock } from "./hosts-file.ts";
import type { Progress } from "./progress.ts";
import type { ClusterProvider } from "./providers/provider.ts";

/** The state goes last, so that a failure on the way can be taken up again. */
export async function removeCluster(provider: ClusterProvider, progress: Progress): Promise<void> {
  const hostsFile = readableState(provider)?.hostsFile;
  if (hostsFile) editHostsFile(hostsFile, (text) => withoutHostsBlock(text, provider.context));
  await provider.destroy(progress);
}

/** A damaged file must not keep a cluster from being removed. */
function readableState({ directory }: ClusterProvider): ClusterState | undefined {
  try {
    return readClusterState(directory);
  } catch {
    return undefined;
  }
}
