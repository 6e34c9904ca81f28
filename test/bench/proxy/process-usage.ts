// What a process and all it started have used, from /proc.

import { readdirSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";

export interface Memory {
  /** Sums over the tree, in KiB. RSS counts shared pages once per process, PSS shares them out. */
  rss: number;
  pss: number;
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** Microseconds of processor time (user and system) of the tree, those of its ended members included. */
export function cpuMicros(root: number): number {
  let ticks = 0;
  for (const pid of tree(root)) {
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted behind the name, which may hold anything.
    for (const field of statOf(pid).slice(11, 15)) ticks += Number(field);
  }
  return (ticks / ticksPerSecond) * 1e6;
}

export function memoryOf(root: number): Memory {
  const memory = { rss: 0, pss: 0 };
  for (const pid of tree(root)) {
    const rollup = readOrEmpty(`/proc/${pid}/smaps_rollup`);
    memory.rss += Number(/^Rss:\s*(\d+)/m.exec(rollup)?.[1] ?? 0);
    memory.pss += Number(/^Pss:\s*(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return memory;
}

/** `root` and its descendants that run. */
function tree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc"))
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(statOf(Number(name))[1]));
  const isBelow = (pid: number | undefined): boolean =>
    pid === root || (pid !== undefined && isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow);
}

/** Fields from the third (state) on. */
function statOf(pid: number): string[] {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
