// The processes of this test, as `ps` shows them.

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** The pids of this process's children whose command line begins with `title`. Others may run clusters on this machine. */
export async function childrenTitled(title: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const commandLine = await readFile(`/proc/${entry}/cmdline`, "latin1").catch(() => "");
    if (!commandLine.startsWith(title)) continue;
    const status = await readFile(`/proc/${entry}/stat`, "latin1").catch(() => "");
    if (status.split(") ")[1]?.split(" ")[1] === String(process.pid)) found.push(Number(entry));
  }
  return found;
}
