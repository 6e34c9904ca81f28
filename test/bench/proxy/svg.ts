// The report as a picture for the documentation: a panel per row with a bar per contestant, as long as what the row is about
// (processor time, a tail, memory); for the routes a line per contestant over the number of hosts.

import { oursName } from "./contestant.ts";
import type { Contest, Figures } from "./figures.ts";
import type { Report, RowReport } from "./report.ts";

const width = 400;
const barHeight = 16;
const labelWidth = 64;
const valueWidth = 84;
const gap = 24;

interface Panel {
  height: number;
  content: string;
}

/** A document of two columns that follows the reader's light or dark scheme. */
export function renderSvg(report: Report): string {
  const heights = [0, 0];
  const placed = report.rows.flatMap(panelsOf).map(({ height, content }) => {
    const column = (heights[0] ?? 0) <= (heights[1] ?? 0) ? 0 : 1;
    const top = heights[column] ?? 0;
    heights[column] = top + height + gap;
    return `<g transform="translate(${column * (width + gap)} ${top})">${content}</g>`;
  });
  const total = { width: 2 * width + 3 * gap, height: Math.max(...heights) + gap + 50 };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total.width} ${total.height}" role="img">`,
    "<title>Processor time per request of proxies</title>",
    `<style>${style}</style>`,
    `<rect class="paper" width="100%" height="100%"/>`,
    ...captions(report).map(
      (text, line) => `<text class="note" x="${gap}" y="${gap + 6 + 16 * line}">${escape(text)}</text>`,
    ),
    `<g transform="translate(${gap} ${gap + 46})">${placed.join("\n")}</g>`,
    "</svg>\n",
  ].join("\n");
}

const captions = ({ machine, date, rounds }: Report): string[] => [
  "Microseconds of processor time per request unless said otherwise: shorter is better. In brackets: over ours, the median of the rounds.",
  `Medians of ${rounds} alternating rounds on ${machine}; ${date}`,
];

/** None of a row that was not run. */
function panelsOf({ name, title, contests }: RowReport): Panel[] {
  if (contests.length === 0) return [];
  if (contests.some(({ hosts }) => hosts > 0)) return [linesPanel(title, contests)];
  if (name === "paced")
    return [barsPanel(`${title}: p99, ms`, contests, { value: ({ p99 }) => p99, over: ({ tailRatio }) => tailRatio })];
  if (name !== "memory") return [barsPanel(title, contests, { value: ({ cpu }) => cpu, over: ({ ratio }) => ratio })];
  return [
    barsPanel("1,024 connections: RSS, MiB", contests, { value: ({ rss }) => rss / 1024 }),
    barsPanel("an idle connection, KiB", contests, { value: ({ idle }) => idle }),
  ];
}

interface Measure {
  value: (figures: Figures) => number;
  /** What stands in brackets. */
  over?: (contest: Contest) => number;
}

function barsPanel(title: string, contests: readonly Contest[], { value, over }: Measure): Panel {
  const measured = contests.filter(({ median }) => Number.isFinite(value(median)));
  const most = Math.max(...measured.map(({ median }) => value(median)));
  const bars = measured.map((contest, index) => {
    const { name, median } = contest;
    const top = 14 + index * (barHeight + 4);
    const length = ((width - labelWidth - valueWidth) * value(median)) / most;
    const ratio = over && name !== oursName ? `  (${over(contest).toFixed(2)})` : "";
    return [
      `<text x="${labelWidth - 6}" y="${top + 12}" text-anchor="end">${escape(name)}</text>`,
      `<rect class="${classOf(name)}" x="${labelWidth}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}"/>`,
      `<text class="note" x="${(labelWidth + length + 5).toFixed(1)}" y="${top + 12}">${figure(value(median))}${ratio}</text>`,
    ].join("");
  });
  return { height: 14 + measured.length * (barHeight + 4), content: heading(title) + bars.join("") };
}

/** Hosts from left to right by magnitude, processor time upwards from 0. */
function linesPanel(title: string, contests: readonly Contest[]): Panel {
  const height = 150;
  const hosts = [...new Set(contests.map((contest) => contest.hosts))];
  const names = [...new Set(contests.map(({ name }) => name))];
  // A contestant far above the others would press them together.
  const ours = Math.max(...contests.filter(({ name }) => name === oursName).map(({ median }) => median.cpu));
  const shown = names.filter((name) => contests.every((each) => each.name !== name || each.median.cpu <= 3 * ours));
  const most = Math.max(...contests.filter(({ name }) => shown.includes(name)).map(({ median }) => median.cpu));
  const [fewest = 1, last = 1] = [Math.min(...hosts), Math.max(...hosts)].map(Math.log10);
  const right = width - valueWidth - labelWidth;
  const x = (count: number): number => labelWidth / 2 + (right * (Math.log10(count) - fewest)) / (last - fewest || 1);
  const y = (cpu: number): number => 20 + (height - 40) * (1 - cpu / most);
  const lines = shown.map((name) => {
    const own = contests.filter((contest) => contest.name === name);
    const points = own.map((each) => `${x(each.hosts).toFixed(1)},${y(each.median.cpu).toFixed(1)}`).join(" ");
    const end = own.at(-1)?.median.cpu ?? 0;
    const label = `<text class="note" x="${x(10 ** last) + 6}" y="${(y(end) + 4).toFixed(1)}">${escape(name)} ${figure(end)}</text>`;
    return `<polyline class="line ${classOf(name)}" points="${points}"/>${label}`;
  });
  const ticks = hosts.map(
    (count) => `<text class="note" x="${x(count).toFixed(1)}" y="${height}" text-anchor="middle">${count} hosts</text>`,
  );
  const base = `<line class="axis" x1="0" x2="${x(10 ** last)}" y1="${y(0)}" y2="${y(0)}"/>`;
  const left = names.filter((name) => !shown.includes(name));
  const note = left.map(
    (name, line) =>
      `<text class="note" x="0" y="${height + 16 * (line + 1)}">${escape(name)}: above 3 times ours</text>`,
  );
  return { height: height + 16 * note.length, content: [heading(title), base, ...lines, ...ticks, ...note].join("") };
}

const heading = (title: string): string => `<text class="heading" y="6">${escape(title)}</text>`;
const figure = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const classOf = (name: string): string => (name === oursName ? "ours" : "peer");
const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const style = [
  "text{font:12px system-ui,sans-serif;fill:#1f2328}.note{font-size:11px;fill:#59636e}.heading{font-weight:600}",
  ".paper{fill:#fff}.ours{fill:#0969da;stroke:#0969da}.peer{fill:#afb8c1;stroke:#afb8c1}",
  ".line{fill:none;stroke-width:2}.axis{stroke:#d1d9e0}",
  "@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.note{fill:#9198a1}.paper{fill:#0d1117}",
  ".ours{fill:#4493f8;stroke:#4493f8}.peer{fill:#656c76;stroke:#656c76}.axis{stroke:#3d444d}.line{fill:none}}",
].join("");
