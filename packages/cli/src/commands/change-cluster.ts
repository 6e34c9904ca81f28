// What is around every command that changes a cluster: its lock, and failures as their user reads them.

import { clusterFailure } from "../cluster-failure.ts";
import { lockCluster } from "../cluster-lock.ts";
import type { Progress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";

/** Runs `change` while no other command is at work on the cluster. */
export async function changeCluster(
  provider: ClusterProvider,
  progress: Progress,
  change: () => Promise<void>,
): Promise<void> {
  const unlock = await lockCluster(provider.directory, (pid) =>
    progress.note(`another gatehouse command (pid ${pid}) is at work on this cluster: waiting for it`),
  );
  try {
    await change();
  } catch (error) {
    throw clusterFailure(error, provider, progress);
  } finally {
    unlock();
  }
}
