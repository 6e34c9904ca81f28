// The two files by which commands know a cluster: cluster.json (what it is; lives until `down`) and runtime.json
// (the running process; lives while it runs).

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./user-error.ts";

export interface PortMapping {
  /** Port on the node, where a pod's hostPort opens. */
  containerPort: number;
  /** Port on 127.0.0.1 and [::1]. */
  hostPort: number;
}

export type ProviderKind = "embedded" | "kind" | "context";

/** What is known of a cluster of any provider. */
export interface ClusterState {
  provider: ProviderKind;
  name: string;
  context: string;
  createdAt: string;
  /** Ports of this machine that lead to the node; none where the cluster is not this machine's. */
  portMappings: PortMapping[];
  /** True once every step of `up` has been done. */
  complete: boolean;
  /** An empty cluster was asked for: no definitions, no gateway, no demo. */
  bare?: boolean;
  /** The hosts file in which a block was written. */
  hostsFile?: string;
  /** uid of its namespace kube-system: another one under the same name is another cluster. */
  identity?: string;
  /** Since when a Helm of ours is at work; still there when it was killed. */
  installingSince?: string | undefined;
  /** Where the gateway was reached last, when that is no port mapping. */
  entry?: { host: string; port: number };
}

export interface ClusterRuntime {
  pid: number;
  apiPort: number;
  nodeIP: string;
  startedAt: string;
}

/** Undefined when there is no such cluster. Throws a UserError when the file is damaged. `State` is the provider's own. */
export function readClusterState<State extends ClusterState = ClusterState>(directory: string): State | undefined {
  return readJson<State>(join(directory, "cluster.json"));
}

/** True while the directory holds a cluster, damaged or not. */
export function isClusterDirectory(directory: string): boolean {
  return existsSync(join(directory, "cluster.json"));
}

export function writeClusterState(directory: string, state: ClusterState): void {
  writeJson(directory, "cluster.json", state);
}

/** Changes what is known of a cluster; nothing happens when there is none. */
export function changeClusterState<State extends ClusterState = ClusterState>(
  directory: string,
  change: Partial<State>,
): void {
  const state = readClusterState(directory);
  if (state) writeClusterState(directory, { ...state, ...change });
}

export function readClusterRuntime(directory: string): ClusterRuntime | undefined {
  return readJson<ClusterRuntime>(join(directory, "runtime.json"));
}

export function writeClusterRuntime(directory: string, runtime: ClusterRuntime): void {
  writeJson(directory, "runtime.json", runtime);
}

export function removeClusterRuntime(directory: string): void {
  rmSync(join(directory, "runtime.json"), { force: true });
}

function readJson<T>(path: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new UserError(
      `${path} is damaged (not JSON): remove the cluster with gatehouse down, then bring it up again`,
    );
  }
}

/** Whole or not at all: a reader never sees half a file. */
function writeJson(directory: string, name: string, value: unknown): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
