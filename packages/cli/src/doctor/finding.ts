// One judgement of `gatehouse doctor`.

import type { ProviderKind } from "../cluster-state.ts";
import type { Facts } from "./facts.ts";

export interface Finding {
  /** Stable, for scripts: `docker-daemon`, `port-80`, ... */
  id: string;
  title: string;
  /** `problem`: it will not work. `warning`: it may go wrong, or something is done differently. `skipped`: not judged. */
  level: "ok" | "warning" | "problem" | "skipped";
  /** One line. */
  message: string;
  /** Lines to follow or to copy; only with warnings and problems. */
  remedy?: string;
  /** The providers to which this judgement applies. */
  neededFor: ProviderKind[];
}

/** What the machine is judged for. */
export interface Need {
  /** Undefined = all of them, for an overview. */
  provider?: ProviderKind;
  /** The cluster: what it holds itself is not in its way. */
  name: string;
}

/** Pure: facts in, findings out. */
export type Rule = (facts: Facts, need: Need) => Finding[];

/** A finding without the levels' boilerplate: `judge(...).ok("...")`. */
export interface Judge {
  ok(message: string): Finding;
  skipped(message: string): Finding;
  warning(message: string, remedy: string): Finding;
  problem(message: string, remedy: string): Finding;
}

export function judge(id: string, title: string, neededFor: ProviderKind[]): Judge {
  const finding = (level: Finding["level"], message: string, remedy?: string): Finding => ({
    id,
    title,
    level,
    message,
    ...(remedy === undefined ? {} : { remedy }),
    neededFor,
  });
  return {
    ok: (message) => finding("ok", message),
    skipped: (message) => finding("skipped", message),
    warning: (message, remedy) => finding("warning", message, remedy),
    problem: (message, remedy) => finding("problem", message, remedy),
  };
}

/** True when a version like 1.32.4 or 0.30.0-alpha is at least `major.minor`. */
export function atLeast(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.+-]/, 2).map(Number);
  const [leastMajor = 0, leastMinor = 0] = minimum.split(".").map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** `512 MiB`, `3.8 GiB`. */
export function bytes(count: number): string {
  const mebibytes = count / 1024 ** 2;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}
