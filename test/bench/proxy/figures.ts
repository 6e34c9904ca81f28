// The figures that rounds yield, and what is made of them.

import { oursName } from "./contestant.ts";

/** Of one contestant in one round, or the medians of several. NaN is what a row does not measure. */
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
  /** KiB per idle connection. */
  idle: number;
  errors: number;
}

export interface Contest {
  name: string;
  /** Hosts served, 0 for any. */
  hosts: number;
  rounds: Figures[];
  /** Errors are summed up instead. */
  median: Figures;
  /** The peer's processor time per request over ours: above 1, ours is the cheaper one. Median over the rounds. */
  ratio: number;
  /** The same of p99. */
  tailRatio: number;
  /** Processor time per request over that of the same contestant with the fewest hosts. */
  growth: number;
}

export const nothing: Figures = {
  requestsPerSecond: Number.NaN,
  cpu: Number.NaN,
  p50: Number.NaN,
  p99: Number.NaN,
  p999: Number.NaN,
  rss: Number.NaN,
  pss: Number.NaN,
  idle: Number.NaN,
  errors: 0,
};

export interface Measured {
  name: string;
  hosts: number;
  rounds: Figures[];
}

/** Ratios are taken round by round, since what disturbs a round disturbs all who take part in it. */
export function contestsFrom(measured: readonly Measured[]): Contest[] {
  return measured.map(({ name, hosts, rounds }) => {
    const ours = measured.find((each) => each.name === oursName && each.hosts === hosts)?.rounds ?? [];
    const fewest = measured.find((each) => each.name === name)?.rounds ?? [];
    const over = (others: readonly Figures[], key: keyof Figures): number =>
      median(rounds.map((figures, round) => figures[key] / (others[round]?.[key] ?? Number.NaN)));
    return {
      name,
      hosts,
      rounds,
      median: medians(rounds),
      ratio: over(ours, "cpu"),
      tailRatio: over(ours, "p99"),
      growth: over(fewest, "cpu"),
    };
  });
}

function medians(rounds: readonly Figures[]): Figures {
  const result = { ...nothing };
  for (const key of Object.keys(result) as (keyof Figures)[]) result[key] = median(rounds.map((each) => each[key]));
  return { ...result, errors: rounds.reduce((sum, { errors }) => sum + errors, 0) };
}

/** NaN of nothing, or when a value is NaN. */
export function median(values: readonly number[]): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  const half = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? half - 1 : half], sorted[half]];
  return (low + high) / 2;
}
