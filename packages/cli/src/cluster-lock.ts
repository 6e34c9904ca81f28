// One command at a time changes a cluster: `up`, `start`, `stop` and `down` of the same one wait for each other.

import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gatehouseHome } from "./home.ts";
import { isAlive } from "./process-liveness.ts";
import { UserError } from "./user-error.ts";

const pollMs = 20;

/**
 * Locks the cluster whose state is, or will be, in `directory`. Resolves with the way to unlock as soon as no other living process holds the lock; the end of this process unlocks too.
 * `onWait` is told once which process is waited for. Throws a UserError when the state directory cannot be written.
 */
export async function lockCluster(directory: string, onWait: (pid: number) => void): Promise<() => void> {
  const path = `${directory}.lock`;
  let told = false;
  for (;;) {
    const holder = tryLock(path);
    if (holder === undefined) break;
    if (!told) onWait(holder);
    told = true;
    await delay(pollMs);
  }
  const unlock = (): void => {
    process.off("exit", unlock);
    rmSync(path, { force: true });
    removeParentsIfEmpty(directory);
  };
  process.on("exit", unlock);
  return unlock;
}

/** Removes the directories that clusters are in, as far as nothing is in them any more. */
export function removeParentsIfEmpty(directory: string): void {
  for (const parent of [dirname(directory), gatehouseHome()]) removeIfEmpty(parent);
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Not empty or not there: other clusters live in it, or it was never made.
  }
}

/** The living process that holds the lock, or undefined: now it is ours. */
function tryLock(path: string): number | undefined {
  const own = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(own, String(process.pid), { mode: 0o600 });
    // A link appears whole, with its content, or not at all.
    linkSync(own, path);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return holderOf(path);
    // The last one out has just removed the directory.
    if (code === "ENOENT") return tryLock(path);
    throw new UserError(
      `the clusters' state cannot be written (${message}): make ${gatehouseHome()} writable, or point GATEHOUSE_HOME elsewhere`,
    );
  } finally {
    rmSync(own, { force: true });
  }
}

/** A lock whose process is gone is taken away, and tried for again at once. */
function holderOf(path: string): number | undefined {
  const holder = read(path);
  if (holder !== undefined && isAlive(holder)) return holder;
  if (holder !== undefined && read(path) === holder) rmSync(path, { force: true });
  return tryLock(path);
}

function read(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
