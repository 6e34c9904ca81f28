// What a soak shows: samples, and whether the last part needs more than the one after the warm-up.

import { median } from "./figures.ts";

export interface Sample {
  /** Since the load began. */
  second: number;
  /** KiB. */
  rss: number;
  pss: number;
  /** In use, KiB; as it was one sample before. */
  heap: number;
  descriptors: number;
}

export interface SoakReport {
  date: string;
  machine: string;
  /** Load average when it began. */
  busy: number;
  name: string;
  seconds: number;
  /** Share of a core that it used. */
  processor: number;
  loads: { kind: string; requests: number; errors: number }[];
  samples: Sample[];
}

export interface Growth {
  figure: Figure;
  /** Medians, with the unit of the samples. */
  first: number;
  last: number;
  constant: boolean;
}

type Figure = Exclude<keyof Sample, "second">;

/** A part is a minute of five: the first is warm-up, the second is compared with the last. */
const parts = 5;
/** What medians of a heap that is collected now and then differ by anyhow. */
const tolerance = 1.1;
const figures: readonly Figure[] = ["rss", "pss", "heap", "descriptors"];

export function growthOf({ samples, seconds }: Pick<SoakReport, "samples" | "seconds">): Growth[] {
  const part = (index: number, figure: Figure): number =>
    median(
      samples
        .filter(({ second }) => Math.min(Math.floor((second / seconds) * parts), parts - 1) === index)
        .map((sample) => sample[figure]),
    );
  return figures.map((figure) => {
    const [first, last] = [part(1, figure), part(parts - 1, figure)];
    return { figure, first, last, constant: last <= first * tolerance };
  });
}

const titles: Record<Figure, [title: string, unit: number]> = {
  rss: ["RSS MiB", 1024],
  pss: ["PSS MiB", 1024],
  heap: ["heap MiB", 1024],
  descriptors: ["descriptors", 1],
};

/** Lines of the table: as many as fit on a screen. */
const lines = 15;

export function renderSoak(report: SoakReport): string {
  const { machine, busy, name, seconds, processor, loads, samples } = report;
  const cells = (figure: Figure, some: readonly Sample[]): string => {
    const value = median(some.map((sample) => sample[figure]).filter((each) => !Number.isNaN(each)));
    return (value / titles[figure][1]).toFixed(figure === "descriptors" ? 0 : 1).padStart(12);
  };
  const table = Array.from({ length: lines }, (_, index) => {
    const from = (seconds * index) / lines;
    const some = samples.filter(({ second }) => second >= from && second < from + seconds / lines);
    return `  ${from.toFixed(0).padStart(6)} s${figures.map((figure) => cells(figure, some)).join("")}`;
  });
  const verdicts = growthOf(report).map(({ figure, first, last, constant }) => {
    const [title, unit] = titles[figure];
    const change = `${(first / unit).toFixed(1)} in the second fifth, ${(last / unit).toFixed(1)} in the last`;
    return `  ${constant ? "✓" : "✗"} ${title}: ${change}`;
  });
  const errors = loads.reduce((sum, each) => sum + each.errors, 0);
  return [
    `${machine}; load average ${busy.toFixed(1)} at the start`,
    `${name} for ${seconds} s, ${(processor * 100).toFixed(0)} % of a core`,
    ...loads.map(({ kind, requests, errors: failed }) => `  ${kind}: ${requests} requests, ${failed} failed`),
    "",
    `  ${"".padStart(8)}${figures.map((figure) => titles[figure][0].padStart(12)).join("")}`,
    ...table,
    "",
    ...verdicts,
    `  ${errors === 0 ? "✓" : "✗"} errors: ${errors}`,
    "",
  ].join("\n");
}
