// The operating system's view of a cluster: its process, its pods' processes, their memory, and ending them.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, isZombie } from "../../process-liveness.ts";

export interface ProcessInfo {
  pid: number;
  command: string;
  /** Proportional set size in KiB (shared pages counted once over all processes); resident size where there is no PSS. */
  memoryKiB: number;
}

/** Set in the environment of every cluster process: by it a process is known as this cluster's. */
export const clusterDirectoryVariable = "GATEHOUSE_CLUSTER_DIRECTORY";

/**
 * Node's options for the cluster process alone. A young generation of 3 x 4 MiB instead of 3 x 16: under writes the heap stays
 * 90 MiB smaller, for a twentieth of the throughput.
 */
export const clusterNodeOptions = ["--max-semi-space-size=4"];

/**
 * For the gateway's process: a small young generation (memory under 1,024 connections: docs/performance.md), and room for the
 * compiler to make one function of what one small request runs through, an eighth of its time in JavaScript.
 */
export const gatewayNodeOptions = ["--max-semi-space-size=4", "--max-inlined-bytecode-size-cumulative=3000"];

const stopTimeoutMs = 5_000;
const pollMs = 5;

/** The process and all its descendants; empty when it is gone. */
export function processesOf(pid: number): ProcessInfo[] {
  return process.platform === "linux" ? linuxProcesses(pid) : otherProcesses(pid);
}

/** SIGTERM, then SIGKILL after five seconds, descendants included. False when it was not running. */
export async function stopProcess(pid: number, directory: string): Promise<boolean> {
  if (!isClusterProcess(pid, directory)) return false;
  const descendants = processesOf(pid).map((info) => info.pid);
  kill(pid, "SIGTERM");
  const giveUpAt = Date.now() + stopTimeoutMs;
  while (descendants.some(isAlive)) {
    if (Date.now() > giveUpAt) for (const member of descendants) kill(member, "SIGKILL");
    await delay(pollMs);
  }
  return true;
}

/**
 * Ends what pods left behind, at once: programs that are not ours (Traefik's binary) do not notice when the cluster's process
 * and the one that started them are killed together. To be called only when the cluster's process is gone. Linux only, as
 * such programs are.
 */
export async function endLeftovers(directory: string): Promise<void> {
  const leftovers = leftoversOf(directory);
  for (const pid of leftovers) kill(pid, "SIGKILL");
  const giveUpAt = Date.now() + stopTimeoutMs;
  while (leftovers.some(isAlive) && Date.now() < giveUpAt) await delay(pollMs);
}

/** The kubelet gives each container its pod's directory as HOME, which no pod spec may change. */
function leftoversOf(directory: string): number[] {
  if (process.platform !== "linux") return [];
  const home = `\0HOME=${directory}/`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => `\0${environmentOf(Number(name))}`.includes(home))
    .map(Number);
}

/** Empty when the process is gone, or somebody else's. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** A pid may have been given to another program since: only a process that names our state directory is ours. */
export function isClusterProcess(pid: number, directory: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    const environment = process.platform === "linux" ? readFileSync(`/proc/${pid}/environ`, "utf8") : "";
    const command =
      process.platform === "linux"
        ? ""
        : execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return environment.includes(`${clusterDirectoryVariable}=${directory}\0`) || command.includes("gatehouse cluster");
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

function linuxProcesses(pid: number): ProcessInfo[] {
  const info = linuxProcess(pid);
  if (!info) return [];
  return [info, ...linuxChildren(pid).flatMap(linuxProcesses)];
}

function linuxChildren(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? [] : children.split(/\s+/).map(Number);
  } catch {
    return [];
  }
}

function linuxProcess(pid: number): ProcessInfo | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const memoryKiB = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    return isZombie(pid) ? undefined : { pid, command, memoryKiB };
  } catch {
    return undefined;
  }
}

function otherProcesses(pid: number): ProcessInfo[] {
  const rows = execFileSync("ps", ["-axo", "pid=,ppid=,rss=,command="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({
      pid: Number(match[1]),
      parent: Number(match[2]),
      memoryKiB: Number(match[3]),
      command: match[4] ?? "",
    }));
  const descend = (id: number): ProcessInfo[] => [
    ...rows
      .filter((row) => row.pid === id)
      .map(({ pid: own, command, memoryKiB }) => ({ pid: own, command, memoryKiB })),
    ...rows.filter((row) => row.parent === id).flatMap((row) => descend(row.pid)),
  ];
  return descend(pid);
}
