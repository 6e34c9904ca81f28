// The suite's official report: what it says of each profile, and whether anything is wanting.

import { isOfMesh, missedBy, type TestOutcome } from "./suite-output.ts";

interface Level {
  result: "success" | "partial" | "failure";
  statistics: { Passed: number; Failed: number; Skipped: number };
  failedTests?: string[];
  skippedTests?: string[];
}

/** gateway.networking.k8s.io/v1, ConformanceReport. */
export interface SuiteReport {
  gatewayAPIVersion: string;
  gatewayAPIChannel: string;
  date: string;
  implementation: { version: string };
  profiles: {
    name: string;
    core: Level;
    extended?: Level & { supportedFeatures?: string[]; unsupportedFeatures?: string[] };
  }[];
  succeededProvisionalTests?: string[];
}

/** One sentence per thing that is wanting; none: everything passed and nothing was left out. */
export function shortcomings(
  report: SuiteReport,
  wanted: readonly string[],
  outcomes: readonly TestOutcome[],
): string[] {
  const found: string[] = [];
  for (const name of wanted) {
    if (!report.profiles.some((profile) => profile.name === name)) found.push(`${name}: not in the report`);
  }
  for (const { name, core, extended } of report.profiles) {
    for (const [level, { statistics }] of levels(core, extended)) {
      if (statistics.Failed > 0) found.push(`${name} ${level}: ${count(statistics.Failed, "test")} failed`);
      if (statistics.Skipped > 0) found.push(`${name} ${level}: ${count(statistics.Skipped, "test")} skipped`);
    }
    if (!extended) found.push(`${name} extended: nothing was tested`);
    const unsupported = extended?.unsupportedFeatures ?? [];
    if (unsupported.length > 0) found.push(`${name}: not supported: ${unsupported.join(", ")}`);
  }
  return [...found, ...shortcomingsOf(outcomes)];
}

/** The same of the tests themselves, of which the report does not count all. */
export function shortcomingsOf(outcomes: readonly TestOutcome[]): string[] {
  const found: string[] = [];
  for (const outcome of outcomes) {
    if (outcome.outcome === "FAIL") found.push(`${outcome.name} failed`);
    const missed = missedBy(outcome);
    if (missed !== undefined) found.push(`${outcome.name} did not run: ${missed}`);
  }
  return found;
}

function levels(core: Level, extended: Level | undefined): [string, Level][] {
  return [["core", core], ...(extended ? [["extended", extended] as [string, Level]] : [])];
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

export interface SummaryOptions {
  outcomes: readonly TestOutcome[];
  wanting: readonly string[];
  /** What made the report. */
  command: string;
  seconds: number;
}

/** A page for people, in Markdown. */
export function summaryPage(report: SuiteReport, { outcomes, wanting, command, seconds }: SummaryOptions): string {
  const rows = [...report.profiles]
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap(({ name, core, extended }) => levels(core, extended).map(([level, facts]) => row(name, level, facts)));
  const supported = new Set(report.profiles.flatMap(({ extended }) => extended?.supportedFeatures ?? []));
  const unsupported = new Set(report.profiles.flatMap(({ extended }) => extended?.unsupportedFeatures ?? []));
  const provisional = report.succeededProvisionalTests ?? [];
  return [
    `# Gateway API ${report.gatewayAPIVersion}, ${report.gatewayAPIChannel} channel: conformance`,
    "",
    `Gatehouse ${report.implementation.version}, ${report.date.slice(0, 10)}. Made by the official suite, unmodified, in ${seconds} seconds:`,
    "",
    `    ${command}`,
    "",
    `${totals(outcomes)} A test counts in every profile whose features it needs; some belong to no profile.`,
    "",
    "| profile | level | passed | failed | skipped |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    `**Extended features supported (${supported.size}):** ${listed(supported)}`,
    "",
    `**Not supported (${unsupported.size}):** ${listed(unsupported)}`,
    "",
    `**Provisional tests passed (${provisional.length}):** ${listed(provisional)}`,
    ...(wanting.length > 0 ? ["", "**Wanting:**", "", ...wanting.map((line) => `- ${line}`)] : []),
    "",
  ].join("\n");
}

function totals(outcomes: readonly TestOutcome[]): string {
  const own = outcomes.filter(({ name }) => !isOfMesh(name));
  const number = (wanted: TestOutcome["outcome"]): number => own.filter(({ outcome }) => outcome === wanted).length;
  return `${count(own.length, "test")} of Gateways: ${number("PASS")} passed, ${number("FAIL")} failed, ${number("SKIP")} left out.`;
}

function row(name: string, level: string, { statistics }: Level): string {
  return `| ${name} | ${level} | ${statistics.Passed} | ${statistics.Failed} | ${statistics.Skipped} |`;
}

function listed(names: Iterable<string>): string {
  return [...names].sort().join(", ") || "none";
}
