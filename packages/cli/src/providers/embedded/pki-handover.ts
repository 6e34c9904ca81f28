// The certificates of a new cluster are made by the command while the background process is still loading: on two cores
// that hides their cost. The process waits here until the file is whole.

import { existsSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { type ClusterFiles, readPki } from "./cluster-files.ts";
import type { Pki } from "./pki.ts";

const giveUpMs = 20_000;

/** Resolves with the certificates as soon as pki.json is there. Rejects when it does not come in time. */
export async function waitForPki(files: ClusterFiles): Promise<Pki> {
  if (!existsSync(files.pki)) await appears(files.pki);
  return readPki(files);
}

function appears(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) check();
    });
    const timer = setTimeout(
      () => finish(new Error(`${path} did not appear: the command that starts the cluster died`)),
      giveUpMs,
    );
    const check = (): void => {
      if (existsSync(path)) finish();
    };
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      watcher.close();
      if (error) reject(error);
      else resolve();
    };
    check();
  });
}
