// What comes out: figures beside their aims, as data, and as text for people.

export interface Figure {
  name: string;
  /** NaN: it was not measured. */
  value: number;
  unit: "" | "ms" | "MiB" | "times";
  aim?: Aim;
}

export type Aim = { atMost: number } | { below: number } | { exactly: number };

export interface Scenario {
  name: string;
  title: string;
  figures: Figure[];
  /** What else there is to know of it, a line each. */
  notes: string[];
  /** Why it ended early; what was measured before is kept. */
  failure?: string;
}

export interface Report {
  date: string;
  machine: string;
  cluster: string;
  scenarios: (Scenario & { load: number })[];
}

/** Whether a figure is what it should be; undefined without an aim, or without a figure. */
export function isMet({ value, aim }: Figure): boolean | undefined {
  if (!aim || Number.isNaN(value)) return undefined;
  if ("atMost" in aim) return value <= aim.atMost;
  return "below" in aim ? value < aim.below : value === aim.exactly;
}

export function asData(report: Report): unknown {
  const scenarios = report.scenarios.map(({ figures, ...scenario }) => ({
    ...scenario,
    figures: figures.map((figure) => ({ ...figure, met: isMet(figure) })),
  }));
  return { ...report, scenarios };
}

export function renderScenario({ title, figures, notes, failure, load }: Report["scenarios"][number]): string {
  const lines = figures.map((figure) => {
    const { name, value, unit, aim } = figure;
    const met = isMet(figure);
    const judged = met === undefined ? "" : met ? "met" : "MISSED";
    const goal = aim ? aimText(aim, unit) : "";
    return `${name.padEnd(76)} ${valueText(value, unit).padStart(12)}   ${goal.padEnd(16)} ${judged}`.trimEnd();
  });
  const ended = failure === undefined ? [] : [`failed: ${failure}`];
  return [`${title} (load average ${load.toFixed(1)})`, ...lines, ...notes, ...ended, ""].join("\n");
}

function aimText(aim: Aim, unit: Figure["unit"]): string {
  if ("atMost" in aim) return `at most ${valueText(aim.atMost, unit)}`;
  return "below" in aim ? `below ${valueText(aim.below, unit)}` : `exactly ${valueText(aim.exactly, unit)}`;
}

function valueText(value: number, unit: Figure["unit"]): string {
  if (Number.isNaN(value)) return "not measured";
  // Three digits say all that a figure of one run can say.
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
}

export interface Spread {
  mean: number;
  p50: number;
  p99: number;
  max: number;
}

/** NaN of nothing. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, p50: at(0.5), p99: at(0.99), max: at(1) };
}
