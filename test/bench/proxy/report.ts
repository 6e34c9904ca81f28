// What comes out: the figures as data, and as text for people.

import { oursName } from "./contestant.ts";
import type { Contest, Figures } from "./figures.ts";
import type { Bar, Row } from "./rows.ts";

export interface Report {
  date: string;
  machine: string;
  /** Load average when it began. */
  busy: number;
  rounds: number;
  /** Of a round. */
  seconds: number;
  versions: Record<string, string>;
  /** Peers that did not take part, and why. */
  missing: Record<string, string>;
  rows: RowReport[];
}

export interface RowReport {
  name: string;
  title: string;
  load: string;
  /** Why it was not run. */
  skipped?: string;
  /** Contestants that could not take part in it, and why. */
  absent: Record<string, string>;
  contests: Contest[];
  bars: Judged[];
}

export interface Judged {
  text: string;
  bar: string;
  reached: number;
  met: boolean;
}

export function judge({ bars }: Row, contests: readonly Contest[]): Judged[] {
  return bars.flatMap((bar) => {
    const reached = bar.measure(contests);
    return reached === undefined || Number.isNaN(reached) ? [] : [judged(bar, reached)];
  });
}

function judged({ text, atLeast, atMost }: Bar, reached: number): Judged {
  const met = (atLeast === undefined || reached >= atLeast) && (atMost === undefined || reached <= atMost);
  return { text, bar: atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`, reached, met };
}

export function renderHeading({ machine, busy, rounds, seconds, versions, missing }: Report): string {
  const took = Object.entries(versions).map(([name, version]) => `${name} (${version})`);
  const not = Object.entries(missing).map(([name, reason]) => `${name}: ${reason}`);
  return [
    `${machine}; load average ${busy.toFixed(1)} at the start`,
    `${took.join(", ")}; medians of ${rounds} alternating rounds of ${seconds} s`,
    ...(not.length > 0 ? [`not here: ${not.join("; ")}`] : []),
    "ratio: the peer's processor time per request over ours; above 1 ours is cheaper",
    "",
  ].join("\n");
}

const columns: [heading: string, figure: keyof Figures, digits: number, unit: number][] = [
  ["req/s", "requestsPerSecond", 0, 1],
  ["CPU us", "cpu", 1, 1],
  ["p50 ms", "p50", 2, 1],
  ["p99 ms", "p99", 2, 1],
  ["p99.9 ms", "p999", 2, 1],
  ["RSS MiB", "rss", 0, 1024],
  ["PSS MiB", "pss", 0, 1024],
  ["idle KiB", "idle", 2, 1],
];

/** One row as a table: the columns that it measures. */
export function renderRow({ name, title, load, skipped, absent, contests, bars }: RowReport): string {
  const heading = `${name}: ${title} (${load})`;
  if (skipped !== undefined) return `${heading}\n  skipped: ${skipped}\n`;
  const shown = columns.filter(([, figure]) => contests.some(({ median }) => !Number.isNaN(median[figure])));
  const grows = contests.some(({ hosts }) => hosts > 0);
  const head = ["", ...shown.map(([text]) => text), "ratio", ...(grows ? ["growth"] : [])];
  const lines = contests.map((contest) => [
    contest.hosts > 0 ? `${contest.name} ${contest.hosts}` : contest.name,
    ...shown.map(([, figure, digits, unit]) => text(contest.median[figure] / unit, digits)),
    contest.name === oursName ? "" : text(contest.ratio, 2),
    ...(grows ? [text(contest.growth, 2)] : []),
    ...(contest.median.errors > 0 ? [`  ${contest.median.errors} requests failed`] : []),
  ]);
  const verdicts = bars.map(
    ({ text, bar, reached, met }) => `  ${met ? "✓" : "✗"} ${text}: ${reached.toFixed(2)}, ${bar}`,
  );
  const left = Object.entries(absent).map(([name, reason]) => `  without ${name}: ${reason}`);
  return `${[heading, ...[head, ...lines].map(line), ...verdicts, ...left].join("\n")}\n`;
}

const text = (value: number, digits: number): string => (Number.isNaN(value) ? "-" : value.toFixed(digits));

const line = ([name = "", ...cells]: string[]): string =>
  `  ${name.padEnd(14)}${cells.map((cell) => cell.padStart(9)).join("")}`.trimEnd();
