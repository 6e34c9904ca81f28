// The files of one embedded cluster's state directory, and its certificates on disk.

import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pki } from "./pki.ts";

export interface ClusterFiles {
  directory: string;
  pki: string;
  database: string;
  log: string;
  node: string;
}

export function clusterFiles(directory: string): ClusterFiles {
  return {
    directory,
    pki: join(directory, "pki.json"),
    database: join(directory, "state.db"),
    log: join(directory, "cluster.log"),
    node: join(directory, "node"),
  };
}

/** Makes the directory, its parents included, readable by the user alone. */
export function createClusterDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
}

/** Whole or not at all: the background process may be waiting for it. */
export function writePki(files: ClusterFiles, pki: Pki): void {
  const temporary = `${files.pki}.tmp`;
  writeFileSync(temporary, JSON.stringify(pki), { mode: 0o600 });
  renameSync(temporary, files.pki);
}

/** Throws an Error when the cluster has none or the file is damaged. */
export function readPki(files: ClusterFiles): Pki {
  return JSON.parse(readFileSync(files.pki, "utf8")) as Pki;
}
