// Keeps clients from taking the last file descriptors. A runtime that has none left accepts and closes without a word, which
// nobody is told, and requests of the clients it has cannot reach their backends any more.

import { readFileSync } from "node:fs";

/** Kept for connections to endpoints, files and whatever else a process opens: this share of all, and so many at least. */
const RESERVE = 1 / 8;
const LEAST_RESERVE = 8;
/** The same is said again after this many milliseconds at the earliest. */
const SILENCE = 10_000;

/** What the process may have; Infinity where the system does not tell. */
let limit = Infinity;
/** A descriptor of this number or above is one of the reserve. */
let ceiling = 0;

function readLimit(): void {
  try {
    const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    limit = soft === "" ? Infinity : Number(soft);
  } catch {
    // Not Linux, or the reserve is gone, too: then what was known still holds.
  }
  ceiling = reserveOf(limit);
}

/** The first descriptor that is kept from clients: none where there is no limit. */
export function reserveOf(limit: number): number {
  return limit === Infinity ? Infinity : limit - Math.max(limit * RESERVE, LEAST_RESERVE);
}

export class DescriptorGuard {
  readonly #say: (line: string) => void;
  #refused = 0;
  #silent = false;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Whether a client's connection may have the descriptor `fd`: the system gives out the lowest number that is free. */
  admits(fd: number): boolean {
    if (fd < ceiling) return true;
    // At first it is not known, and it may have been raised since.
    readLimit();
    if (fd < ceiling) return true;
    this.#refused++;
    if (!this.#silent) this.#tell();
    return false;
  }

  #tell(): void {
    const closed = `${this.#refused} connection${this.#refused === 1 ? " was" : "s were"} closed`;
    this.#say(`no file descriptors left for further clients, ${closed}: raise the limit of ${limit} (ulimit -n)`);
    this.#refused = 0;
    this.#silent = true;
    setTimeout(() => {
      this.#silent = false;
      if (this.#refused > 0) this.#tell();
    }, SILENCE).unref();
  }
}
