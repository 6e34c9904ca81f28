// kind writes the context itself, and leaves an empty file and no current context behind. As with an embedded cluster, what
// was there before comes back.

import { kubeconfigPaths } from "@gatehouse/apimachinery/kubeconfig";
import { existsSync, readFileSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import { parse } from "yaml";
import { type KubeconfigChange, pathToMerge, removeContext } from "../../kubeconfig-file.ts";

/** What kind is about to change. Remembered before, as it may be killed at any time. */
export function kubeconfigBefore(context: string): KubeconfigChange {
  const path = pathToMerge(kubeconfigPaths());
  const previous = currentContext(path);
  return {
    path,
    created: !existsSync(path),
    ...(existsSync(dirname(path)) ? {} : { directoryCreated: true }),
    ...(previous && previous !== context ? { previousContext: previous } : {}),
  };
}

/** A file that cannot be read is kind's to complain about. */
function currentContext(path: string): string | undefined {
  try {
    const config = parse(readFileSync(path, "utf8")) as { "current-context"?: unknown } | null;
    const current = config?.["current-context"];
    return typeof current === "string" ? current : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the context out and puts back what was there, then lets `remove` do its own part. */
export async function withContextRemoved(
  change: KubeconfigChange | undefined,
  context: string,
  remove: () => Promise<void>,
): Promise<void> {
  if (change) removeContext(change, context);
  await remove();
  if (change?.directoryCreated) removeEmptyDirectory(dirname(change.path));
}

/** kind makes the directory anew for its lock. */
function removeEmptyDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Not there, or somebody keeps something in it.
  }
}
