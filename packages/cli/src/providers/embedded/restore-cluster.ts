// From a backup to a stopped cluster on disk: a new one, or in place of one that is there.

import { beginNewHistory, measureState } from "@gatehouse/apiserver/storage/state-copy";
import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type Backup, notWritten } from "../../backup-file.ts";
import { readClusterState, removeClusterRuntime, writeClusterState } from "../../cluster-state.ts";
import { contextName } from "../../home.ts";
import { restoredObject } from "../../restored-objects.ts";
import { UserError } from "../../user-error.ts";
import { clusterFiles, createClusterDirectory, writePki } from "./cluster-files.ts";
import { type EmbeddedState, nodeNameOf } from "./embedded-state.ts";

/**
 * Makes the (checked) backup at `path` the stopped cluster `name` in `directory`. What is there is replaced in the last moment:
 * before that a failure leaves it as it was. Throws a UserError when there is no room or no permission.
 */
export function restoreCluster(path: string, backup: Backup, name: string, directory: string): void {
  const files = clusterFiles(directory);
  const fresh = !existsSync(directory);
  const prepared = `${files.database}.restored`;
  try {
    createClusterDirectory(directory);
    const state = stateOf(backup, name, fresh ? undefined : knownState(directory));
    copyFileSync(path, prepared);
    dropManifest(prepared);
    const to = nodeNameOf(state);
    beginNewHistory(prepared, revisionOf(files.database), (resource, object) =>
      restoredObject(resource, object, backup.manifest.node, to),
    );
    for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(files.database + suffix, { force: true });
    renameSync(prepared, files.database);
    rmSync(files.node, { recursive: true, force: true });
    removeClusterRuntime(directory);
    writePki(files, backup.pki);
    writeClusterState(directory, state);
  } catch (error) {
    if (fresh) rmSync(directory, { recursive: true, force: true });
    throw notWritten(directory, error);
  } finally {
    for (const suffix of ["", "-wal", "-journal"]) rmSync(prepared + suffix, { force: true });
  }
}

/** What belongs to this machine (where its kubeconfig and hosts entries are) stays; all else is the backup's. */
function stateOf({ state }: Backup, name: string, known: EmbeddedState | undefined): EmbeddedState {
  const { kubeconfig: _1, hostsFile: _2, ...portable } = state;
  return {
    ...portable,
    name,
    context: contextName(name),
    ...(known?.kubeconfig ? { kubeconfig: known.kubeconfig } : {}),
    ...(known?.hostsFile ? { hostsFile: known.hostsFile } : {}),
  };
}

/** A cluster whose own file is damaged is what a backup is for. */
function knownState(directory: string): EmbeddedState | undefined {
  try {
    return readClusterState<EmbeddedState>(directory);
  } catch {
    return undefined;
  }
}

function dropManifest(path: string): void {
  const database = new DatabaseSync(path);
  try {
    // The keys it holds are not to lie about in free pages.
    database.exec("PRAGMA secure_delete = ON; DROP TABLE backup;");
  } finally {
    database.close();
  }
}

/** What clients of the cluster that is replaced can have seen; 0 when there is none, or none that can be read. */
function revisionOf(database: string): number {
  if (!existsSync(database)) return 0;
  try {
    return measureState(database).revision;
  } catch (error) {
    if (/in use/.test((error as Error).message)) throw new UserError(`${(error as Error).message}: end it first`);
    return 0;
  }
}
