// The step that makes kubectl know the cluster: its context in the kubeconfig that kubectl uses.

import { kubeconfigPaths } from "@gatehouse/apimachinery/kubeconfig";
import { existsSync } from "node:fs";
import { addContext } from "../kubeconfig-file.ts";
import type { Progress } from "../progress.ts";
import type { EmbeddedProvider } from "../providers/embedded/embedded-provider.ts";

/** Adds or renews the context. A cluster stays with the file it was first written to. */
export async function writeContext(provider: EmbeddedProvider, progress: Progress): Promise<void> {
  await progress.step("Write the kubeconfig context", (detail) => {
    const known = provider.state?.kubeconfig;
    const path = known?.path ?? pathToMerge(kubeconfigPaths());
    const change = addContext(path, provider.contextEntry());
    // What `down` restores is what was there before the first `up`.
    provider.remember({ kubeconfig: known ?? change });
    detail(`${provider.context} in ${path}`);
    return Promise.resolve();
  });
}

/** As kind chooses among the files of KUBECONFIG: the first that exists, else the last. */
export function pathToMerge(paths: string[]): string {
  return paths.find((path) => existsSync(path)) ?? paths.at(-1) ?? "";
}
