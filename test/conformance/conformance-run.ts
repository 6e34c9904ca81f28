// One run of the suite against a cluster: its flags, a progress line per test, and what came of it as a verdict.

import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { version as gatehouseVersion } from "../../packages/cli/src/version.ts";
import type { TestCluster } from "../system/test-cluster.ts";
import { type ConformanceArguments, profilesOf } from "./arguments.ts";
import { complaintOf, missedBy, readSuiteOutput, type SuiteOutput, type TestOutcome } from "./suite-output.ts";
import { runSuite } from "./suite-program.ts";
import { shortcomings, shortcomingsOf, type SuiteReport, summaryPage } from "./suite-report.ts";

/** For a run in which much fails; the suite's own time limits for single steps are left as they are. */
const timeLimit = "50m";
/** The suite writes no report where one of these is empty. The project has no site, and nobody is named to be asked. */
const implementation = {
  organization: "gatehouse",
  project: "gatehouse",
  url: "none",
  version: `v${gatehouseVersion}`,
  contact: "none",
};

export interface RunContext {
  asked: ConformanceArguments;
  /** The suite as a program. */
  program: string;
  cluster: TestCluster;
  /** All that the suite prints goes there too. */
  log: string;
  /** Where the suite's report goes at first. */
  report: string;
  print: (line: string) => void;
  signal: AbortSignal;
}

/** True when nothing is wanting. */
export function runConformance(context: RunContext): Promise<boolean> {
  return context.asked.tests.length > 0 ? runTests(context) : runProfiles(context);
}

async function runProfiles(context: RunContext): Promise<boolean> {
  const { asked, print } = context;
  const started = performance.now();
  const about = Object.entries(implementation).map(([name, value]) => `-${name}=${value}`);
  const profiles = `-conformance-profiles=${asked.profiles.join(",")}`;
  const { outcomes, output } = await runOnce(context, [profiles, `-report-output=${context.report}`, ...about]);
  if (!existsSync(context.report)) return withoutEnd(output);
  const text = readFileSync(context.report, "utf8");
  const report = parse(text) as SuiteReport;
  const wanting = shortcomings(report, asked.profiles, outcomes);
  const seconds = Math.round((performance.now() - started) / 1000);
  const page = summaryPage(report, { outcomes, wanting, command: commandOf(asked), seconds });
  print(`\n${page}`);
  if (asked.output !== undefined) {
    mkdirSync(asked.output, { recursive: true });
    writeFileSync(join(asked.output, `${asked.version}.yaml`), text);
    writeFileSync(join(asked.output, `${asked.version}.md`), page);
    print(`Written to ${asked.output}`);
  }
  return wanting.length === 0;
}

/** One run of the suite for each test: whether its features are claimed does not matter then. */
async function runTests(context: RunContext): Promise<boolean> {
  const outcomes: TestOutcome[] = [];
  for (const name of context.asked.tests) {
    // What all tests share stays for the next one.
    const flags = [`-run-test=${name}`, "-cleanup-base-resources=false"];
    const { outcomes: all, output } = await runOnce(context, flags, name);
    const outcome = all.find((each) => each.name === name);
    if (!outcome) return withoutEnd(output);
    outcomes.push(outcome);
  }
  const wanting = shortcomingsOf(outcomes);
  const passed = outcomes.filter(({ outcome }) => outcome === "PASS");
  context.print(`\n${[...wanting, `${passed.length} of ${outcomes.length} passed`].join("\n")}`);
  return wanting.length === 0;
}

function commandOf({ version, profiles }: ConformanceArguments): string {
  const all = profiles.length === profilesOf[version].length;
  return `npm run conformance -- --version ${version}${all ? "" : ` --profile ${profiles.join(" ")}`}`;
}

async function runOnce(
  { program, cluster, log, print, signal }: RunContext,
  flags: string[],
  only?: string,
): Promise<{ outcomes: TestOutcome[]; output: SuiteOutput }> {
  const outcomes: TestOutcome[] = [];
  const file = createWriteStream(log, { flags: "a" });
  const output = readSuiteOutput((outcome) => {
    outcomes.push(outcome);
    const line = progressLine(outcome);
    if (line !== undefined && (only === undefined || outcome.name === only)) print(line);
  });
  const onOutput = (text: string): void => {
    file.write(text);
    output.write(text);
  };
  const addresses = await gatewayAddresses(cluster);
  const all = [`-test.timeout=${timeLimit}`, "-gateway-class=traefik", ...addresses, ...flags];
  await runSuite(program, { flags: all, environment: cluster.environment, onOutput }, signal);
  await new Promise((resolve) => file.end(resolve));
  return { outcomes, output };
}

/** One that a Gateway may ask for, and one that it may not. */
async function gatewayAddresses(cluster: TestCluster): Promise<string[]> {
  const status = await cluster.gatehouse("status", "-o", "json");
  const { nodeIP } = JSON.parse(status.stdout) as { nodeIP: string };
  return [`-usable-address=${nodeIP.replace(/\.0\.1$/, ".255.254")}`, `-unusable-address=${nodeIP}`];
}

function progressLine(outcome: TestOutcome): string | undefined {
  const { name, seconds } = outcome;
  if (outcome.outcome === "PASS") return ` ✓ ${name} (${seconds.toFixed(1)} s)`;
  if (outcome.outcome === "FAIL") return ` ✗ ${name} (${seconds.toFixed(1)} s): ${complaintOf(outcome)}`;
  const missed = missedBy(outcome);
  return missed === undefined ? undefined : ` - ${name}: ${missed}`;
}

function withoutEnd({ otherLines }: SuiteOutput): false {
  process.stderr.write(`error: the suite did not come to its end:\n${otherLines.slice(-20).join("\n")}\n`);
  return false;
}
