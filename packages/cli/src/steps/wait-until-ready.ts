// The wait after a stopped cluster was started again: everything in it is ready as it was, the user's own objects too.

import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { readClusterState } from "../cluster-state.ts";
import type { Progress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { allObjects, builtInObjects, untilReady } from "./readiness.ts";
import { explainUnready } from "./unready.ts";

/** For the controllers to count the pods that have just become ready. */
const settleMs = 300;

/** Waiting reasons of a pod that a restart of the cluster does not mend. */
const hopeless = /^(ErrImagePull|ImagePullBackOff|InvalidImageName|CreateContainerConfigError|CrashLoopBackOff)/;

/**
 * Waits for the pods: of all that was in the cluster only they have to come back. What was broken before may stay broken:
 * that is said, and is no failure of the start.
 */
export async function waitUntilReady(provider: ClusterProvider, progress: Progress): Promise<void> {
  await progress.step("Wait until everything is ready", async ({ detail }) => {
    const client = await provider.connect();
    try {
      await untilReady(client, [{ type: pods }], provider.readyTimeoutMs, ({ reason }) => !hopeless.test(reason));
      const bare = readClusterState(provider.directory)?.bare === true;
      const unready = await untilReady(client, bare ? builtInObjects : allObjects, settleMs);
      if (unready.length > 0) detail(`still not ready: ${explainUnready(unready)}`);
    } finally {
      client.close();
    }
  });
}
