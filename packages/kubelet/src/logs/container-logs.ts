// The logs of one container over its restarts: `<directory>/<restart>.log`, of which the present and the previous
// instance are kept.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLogFile, type LogFile } from "./log-file.ts";

const maxLogBytes = 10 * 1024 * 1024;

export interface ContainerLogs {
  /** The log of the latest instance, undefined before the first. */
  readonly current: LogFile | undefined;
  /** The path of the log before the latest, undefined when there is none. */
  readonly previous: string | undefined;
  /** True when no further instance will come. */
  readonly finished: boolean;
  /** Opens the log of the next instance; drops all but the one before it. */
  next(restart: number): LogFile;
  finish(): void;
  /** Called when an instance begins and when the container is finished. Returns the way to unsubscribe. */
  onChange(listener: () => void): () => void;
}

export function createContainerLogs(directory: string, maxBytes = maxLogBytes): ContainerLogs {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const listeners = new Set<() => void>();
  let current: LogFile | undefined;
  let previous = latestIn(directory);
  let finished = false;
  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    get current() {
      return current;
    },
    get previous() {
      return previous;
    },
    get finished() {
      return finished;
    },
    next: (restart) => {
      previous = current?.path ?? previous;
      const path = join(directory, `${restart}.log`);
      for (const name of readdirSync(directory)) {
        const file = join(directory, name).replace(/\.1$/, "");
        if (file !== previous || file === path) rmSync(join(directory, name), { force: true });
      }
      current = createLogFile({ path, maxBytes });
      notify();
      return current;
    },
    finish: () => {
      finished = true;
      notify();
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What an earlier kubelet left: the log with the highest restart count. */
function latestIn(directory: string): string | undefined {
  const counts = readdirSync(directory).flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? []);
  const latest = counts.map(Number).sort((a, b) => b - a)[0];
  return latest === undefined ? undefined : join(directory, `${latest}.log`);
}
