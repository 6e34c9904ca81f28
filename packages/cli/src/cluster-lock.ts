// One command at a time changes a cluster: `up`, `start`, `stop` and `down` of the same one wait for each other.

import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gatehouseHome } from "./home.ts";
import { isAlive } from "./process-liveness.ts";
import { UserError } from "./user-error.ts";

const pollMs = 20;
const tellEveryMs = 30_000;
/** How often the directory may go away again under a process that makes it, before it is something else. */
const maximumAttempts = 100;

/**
 * Locks the cluster whose state is, or will be, in `directory`. Resolves with the way to unlock as soon as no other living
 * process holds the lock; the end of this process unlocks too. `onWait` is told which process is waited for, now and then. Throws a UserError when the state directory cannot be written.
 */
export async function lockCluster(directory: string, onWait: (pid: number) => void): Promise<() => void> {
  const path = `${directory}.lock`;
  let tellAt = 0;
  for (;;) {
    const holder = tryLock(path);
    if (holder === undefined) break;
    if (performance.now() >= tellAt) {
      onWait(holder);
      tellAt = performance.now() + tellEveryMs;
    }
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
function tryLock(path: string, attempt = 1): number | undefined {
  const own = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(own, String(process.pid), { mode: 0o600 });
    // A link appears whole, with its content, or not at all.
    linkSync(own, path);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && existsSync(path)) return holderOf(path, attempt);
    // The last one out has just removed the directory, or the lock.
    if ((code === "ENOENT" || code === "EEXIST") && attempt < maximumAttempts) return tryLock(path, attempt + 1);
    throw new UserError(
      `the clusters' state cannot be written (${message}): make ${gatehouseHome()} writable, or point GATEHOUSE_HOME elsewhere`,
    );
  } finally {
    removeQuietly(own);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What is in the way of the directory has been said.
  }
}

/** A lock whose process is gone is taken away, and tried for again at once. */
function holderOf(path: string, attempt: number): number | undefined {
  const holder = read(path);
  if (holder !== undefined && isAlive(holder)) return holder;
  if (holder !== undefined) takeAway(path, holder);
  return tryLock(path, attempt + 1);
}

/** Only one of several that saw the same dead holder moves its lock; who moved a newer one puts it back. */
function takeAway(path: string, holder: number): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (read(aside) !== holder) linkSync(aside, path);
  } catch (error) {
    // Somebody else was quicker.
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
