// One row: every contestant in turn, round after round, so that a noisy minute strikes all alike.

import { truncateSync } from "node:fs";
import type { Running } from "./contestants.ts";
import type { Load } from "./loads.ts";
import { cpuMicros, memoryOf } from "./process-usage.ts";
import type { Stage } from "./stage.ts";

/** Figures of one contestant in one round, or the medians of several. */
export interface Figures {
  requestsPerSecond: number;
  /** Microseconds of the proxy's processor time per request. */
  cpu: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  p999: number;
  /** KiB under load. */
  rss: number;
  pss: number;
  errors: number;
}

export interface Contest {
  name: string;
  rounds: Figures[];
  median: Figures;
  /** The peer's processor time per request over ours: above 1, ours is the cheaper one. Median over the rounds. */
  ratio: number;
}

export interface RunOptions {
  rounds: number;
  seconds: number;
}

/** `running` has ours first. */
export async function runRow(
  stage: Stage,
  load: Load,
  running: readonly Running[],
  { rounds, seconds }: RunOptions,
): Promise<Contest[]> {
  const measured = new Map<string, Figures[]>(running.map(({ name }) => [name, []]));
  for (const each of running) await warmUp(stage, load, each);
  for (let round = 0; round < rounds; round++)
    for (const each of rotated(running, round))
      measured.get(each.name)?.push(await measure(stage, load, each, seconds));
  const ours = measured.get(running[0]?.name ?? "") ?? [];
  return [...measured].map(([name, figures]) => ({
    name,
    rounds: figures,
    median: medians(figures),
    ratio: median(figures.map(({ cpu }, round) => cpu / (ours[round]?.cpu ?? Number.NaN))),
  }));
}

/** Until a second of load is no longer clearly cheaper than the one before: a compiler that learns is done then. */
async function warmUp(stage: Stage, load: Load, each: Running): Promise<void> {
  let previous = Number.POSITIVE_INFINITY;
  for (let second = 0; second < 8; second++) {
    const { cpu } = await measure(stage, load, each, 1);
    if (cpu > previous * 0.95) return;
    previous = cpu;
  }
}

async function measure(
  stage: Stage,
  load: Load,
  { started, ports, accessLog }: Running,
  seconds: number,
): Promise<Figures> {
  let memory = { rss: 0, pss: 0 };
  const timer = setTimeout(() => (memory = memoryOf(started.pid)), seconds * 800);
  const before = cpuMicros(started.pid);
  const result = await load.run(stage, { ports, seconds });
  const used = cpuMicros(started.pid) - before;
  clearTimeout(timer);
  // Gigabytes would come together: only the writing is of interest.
  truncateSync(accessLog);
  return {
    requestsPerSecond: result.requests / result.seconds,
    cpu: used / result.requests,
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
    ...memory,
    errors: result.errors,
  };
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function medians(figures: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number => median(figures.map((each) => each[key]));
  return {
    requestsPerSecond: of("requestsPerSecond"),
    cpu: of("cpu"),
    p50: of("p50"),
    p99: of("p99"),
    p999: of("p999"),
    rss: of("rss"),
    pss: of("pss"),
    errors: figures.reduce((sum, { errors }) => sum + errors, 0),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? half - 1 : half], sorted[half]];
  return (low + high) / 2;
}
