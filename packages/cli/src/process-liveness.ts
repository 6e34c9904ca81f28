// Whether a process is there: asked of the holders of locks and of the processes of a cluster.

import { readFileSync } from "node:fs";

/** True when there is a process of this number, whoever's it is. One that was killed and not yet collected is gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** False where the operating system does not tell (only Linux is asked). */
export function isZombie(pid: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    // The state follows the command, which is in parentheses and may hold some itself.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.charAt(stat.lastIndexOf(")") + 2) === "Z";
  } catch {
    return false;
  }
}
