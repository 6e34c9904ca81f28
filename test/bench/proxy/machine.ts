// The machine that figures were taken on, in words: figures without it mean nothing.

import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const kernel = release().replace(/-.*/, "");
  return `${availableParallelism()} cores (${model}), ${gibibytes} GiB, Linux ${kernel}, ${distribution()}Node ${process.version}`;
}

/** How many processes wanted a core on average over the last minute. */
export const load = (): number => loadavg()[0] ?? Number.NaN;

function distribution(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
    return name ? `${name}, ` : "";
  } catch {
    return "";
  }
}
