// The wait after a stopped cluster was started again: everything in it is ready as it was, the user's own objects too.

import type { Progress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { allObjects, untilReady } from "./readiness.ts";
import { explainUnready } from "./unready.ts";

const readyTimeoutMs = 15_000;

/** What was broken before the stop may stay broken: that is said, and is no failure of the start. */
export async function waitUntilReady(provider: ClusterProvider, progress: Progress): Promise<void> {
  await progress.step("Wait until everything is ready", async (detail) => {
    const client = await provider.connect();
    try {
      const unready = await untilReady(client, allObjects, readyTimeoutMs);
      if (unready.length > 0) detail(`still not ready: ${explainUnready(unready)}`);
    } finally {
      client.close();
    }
  });
}
