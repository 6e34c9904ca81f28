// One row under load: every contestant in turn, round after round, so that a noisy minute strikes all alike.

import { truncateSync } from "node:fs";
import type { Running } from "./contestant.ts";
import { type Contest, contestsFrom, type Figures, nothing } from "./figures.ts";
import { type Load, wrk } from "./loads.ts";
import { cpuMicros, memoryOf } from "./process-usage.ts";
import type { Stage } from "./stage.ts";

export interface RunOptions {
  rounds: number;
  /** Of each round. */
  seconds: number;
}

/** `paced`: at half of the rate that ours and the peers of its class can carry, or of what a slower one can. */
export async function runRow(
  stage: Stage,
  { load, paced }: { load: Load; paced?: true },
  running: readonly Running[],
  { rounds, seconds }: RunOptions,
): Promise<Contest[]> {
  const rates = paced ? await halfLoads(stage, running) : new Map<Running, number>();
  const lanes = running.map((each) => ({ running: each, rate: rates.get(each) ?? 0, rounds: [] as Figures[] }));
  for (const lane of lanes) await warmUp(stage, load, lane.running, lane.rate);
  for (let round = 0; round < rounds; round++)
    for (const lane of rotated(lanes, round))
      lane.rounds.push(await measure(stage, load, lane.running, seconds, lane.rate));
  return contestsFrom(lanes.map(({ running: { name, variant }, rounds }) => ({ name, hosts: variant.hosts, rounds })));
}

/** Until a second of load is no longer clearly cheaper than the one before: a compiler that learns is done then. */
export async function warmUp(stage: Stage, load: Load, running: Running, rate: number): Promise<void> {
  let previous = Number.POSITIVE_INFINITY;
  for (let second = 0; second < 8; second++) {
    const { cpu } = await measure(stage, load, running, 1, rate);
    if (!(cpu <= previous * 0.95)) return;
    previous = cpu;
  }
}

export async function measure(
  stage: Stage,
  load: Load,
  { started, variant, ports, accessLog }: Running,
  seconds: number,
  rate: number,
): Promise<Figures> {
  let memory = { rss: Number.NaN, pss: Number.NaN };
  const timer = setTimeout(() => (memory = memoryOf(started.pid)), seconds * 800);
  const before = cpuMicros(started.pid);
  const result = await load.run(stage, { ports, hosts: variant.hosts, seconds, rate });
  const used = cpuMicros(started.pid) - before;
  clearTimeout(timer);
  // Gigabytes would come together: only the writing is of interest.
  truncateSync(accessLog);
  return {
    ...nothing,
    requestsPerSecond: result.requests / result.seconds,
    // One that answered nothing has no cost per request.
    cpu: result.requests > 0 ? used / result.requests : Number.NaN,
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
    ...memory,
    errors: result.errors,
  };
}

async function halfLoads(stage: Stage, running: readonly Running[]): Promise<Map<Running, number>> {
  const full = wrk({ connections: 64 });
  const most = new Map<Running, number>();
  for (const each of running) {
    await warmUp(stage, full, each, 0);
    most.set(each, (await measure(stage, full, each, 2, 0)).requestsPerSecond);
  }
  const best = Math.max(...most.values());
  const common = Math.min(...[...most.values()].filter((rate) => rate > best / 2));
  return new Map([...most].map(([each, rate]) => [each, Math.round(Math.min(common, rate) / 2)]));
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
