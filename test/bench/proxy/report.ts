// What comes out: the figures as data, and as text for people.

import type { Bar, Row } from "./rows.ts";
import type { Contest, Figures } from "./run.ts";

export interface Report {
  date: string;
  machine: string;
  /** Load average when it began. */
  busy: number;
  rounds: number;
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
  contests: Contest[];
  bars: Judged[];
}

/** A bar, and the ratio to the best of its peers that took part. */
export interface Judged extends Bar {
  reached: number;
  met: boolean;
}

export function judge({ bars }: Row, contests: readonly Contest[]): Judged[] {
  return bars.flatMap((bar) => {
    const ratios = contests.flatMap(({ name, ratio }) => (bar.peers.includes(name) ? [ratio] : []));
    const reached = Math.min(...ratios);
    return ratios.length > 0 ? [{ ...bar, reached, met: reached >= bar.ratio }] : [];
  });
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

const columns: [heading: string, width: number, figure: (figures: Figures) => string][] = [
  ["req/s", 9, ({ requestsPerSecond }) => requestsPerSecond.toFixed(0)],
  ["CPU us", 9, ({ cpu }) => cpu.toFixed(1)],
  ["p50 ms", 9, ({ p50 }) => p50.toFixed(2)],
  ["p99 ms", 9, ({ p99 }) => p99.toFixed(2)],
  ["p99.9 ms", 9, ({ p999 }) => p999.toFixed(2)],
  ["RSS MiB", 9, ({ rss }) => (rss / 1024).toFixed(0)],
  ["PSS MiB", 9, ({ pss }) => (pss / 1024).toFixed(0)],
];

/** One row as a table. */
export function renderRow({ name, title, load, skipped, contests, bars }: RowReport): string {
  const heading = `${name}: ${title} (${load})`;
  if (skipped !== undefined) return `${heading}\n  skipped: ${skipped}\n`;
  const head = `  ${"".padEnd(8)}${columns.map(([text, width]) => text.padStart(width)).join("")}${"ratio".padStart(8)}`;
  const lines = contests.map(({ name, median, ratio }, index) => {
    const figures = columns.map(([, width, figure]) => figure(median).padStart(width)).join("");
    const errors = median.errors > 0 ? `   ${median.errors} requests failed` : "";
    return `  ${name.padEnd(8)}${figures}${(index === 0 ? "" : ratio.toFixed(2)).padStart(8)}${errors}`;
  });
  const verdicts = bars.map(
    ({ ratio, peers, reached, met }) =>
      `  bar ${ratio.toFixed(2)} against ${peers.join(" and ")}: ${met ? "reached" : "missed"} (${reached.toFixed(2)})`,
  );
  return `${[heading, head, ...lines, ...verdicts].join("\n")}\n`;
}
