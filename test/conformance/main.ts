// `npm run conformance`: the official Gateway API conformance suite, unmodified, against a cluster that `gatehouse up` makes
// and that is gone afterwards.

import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { version as gatehouseVersion } from "../../packages/cli/src/version.ts";
import { root, startTestCluster, type TestCluster } from "../system/test-cluster.ts";
import { type ConformanceArguments, parseArguments, type SuiteVersion, usage, UsageError } from "./arguments.ts";
import { complaintOf, missedBy, readSuiteOutput, type SuiteOutput, type TestOutcome } from "./suite-output.ts";
import { buildSuite, NotRunError, runSuite } from "./suite-program.ts";
import { shortcomings, shortcomingsOf, type SuiteReport, summaryPage } from "./suite-report.ts";

/** For a run in which much fails; the suite's own time limits for single steps are left as they are. */
const timeLimit = "50m";
const implementation = {
  organization: "gatehouse",
  project: "gatehouse",
  url: "https://gatehouse.dev",
  version: `v${gatehouseVersion}`,
  contact: "@gatehouse/maintainers",
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The exit code: 0 everything passed and nothing was left out, 1 not so, 2 the suite did not run. */
export async function main(args: string[]): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), "gatehouse-conformance-"));
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const asked = parseArguments(args, join(root, "docs/conformance"));
    const program = await step(`Build the suite of ${asked.version}`, () => buildSuite(asked.version, work));
    if (interruption.signal.aborted) return 130;
    const cluster = await step("Bring a cluster up", () => startCluster(asked.version));
    try {
      const conformance = new ConformanceRun(asked, program, cluster, work, interruption.signal);
      const passed = await (asked.tests.length > 0 ? conformance.runTests() : conformance.runAll());
      return interruption.signal.aborted ? 130 : passed ? 0 : 1;
    } finally {
      await step("Take the cluster down", () => cluster.remove());
    }
  } catch (error) {
    if (interruption.signal.aborted) return 130;
    if (!(error instanceof NotRunError || error instanceof UsageError)) throw error;
    process.stderr.write(`error: ${error.message}\n${error instanceof UsageError ? `\n${usage}\n` : ""}`);
    return 2;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    rmSync(work, { recursive: true, force: true });
  }
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  print(` ✓ ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}

function startCluster(version: SuiteVersion): Promise<TestCluster> {
  return startTestCluster("--gateway-api", version, "--channel", "experimental");
}

class ConformanceRun {
  readonly #asked: ConformanceArguments;
  readonly #program: string;
  readonly #cluster: TestCluster;
  readonly #work: string;
  readonly #signal: AbortSignal;

  constructor(asked: ConformanceArguments, program: string, cluster: TestCluster, work: string, signal: AbortSignal) {
    this.#asked = asked;
    this.#program = program;
    this.#cluster = cluster;
    this.#work = work;
    this.#signal = signal;
  }

  /** The profiles as a whole, with the report. True when nothing is wanting. */
  async runAll(): Promise<boolean> {
    const { profiles, version, output } = this.#asked;
    const path = join(this.#work, "report.yaml");
    const started = performance.now();
    const about = Object.entries(implementation).map(([name, value]) => `-${name}=${value}`);
    const flags = [`-conformance-profiles=${profiles.join(",")}`, `-report-output=${path}`, ...about];
    const { outcomes, ended } = await this.#run(flags);
    if (!ended) return false;
    const text = readFileSync(path, "utf8");
    const report = parse(text) as SuiteReport;
    const wanting = shortcomings(report, profiles, outcomes);
    const seconds = Math.round((performance.now() - started) / 1000);
    const page = summaryPage(report, { outcomes, wanting, command: this.#command(), seconds });
    print(`\n${page}`);
    if (output !== undefined) {
      mkdirSync(output, { recursive: true });
      writeFileSync(join(output, `${version}.yaml`), text);
      writeFileSync(join(output, `${version}.md`), page);
      print(`Written to ${output}`);
    }
    return wanting.length === 0;
  }

  /** Single tests, one run of the suite each: whether their features are claimed does not matter then. */
  async runTests(): Promise<boolean> {
    const outcomes: TestOutcome[] = [];
    for (const name of this.#asked.tests) {
      // What all tests share stays for the next one.
      const { outcomes: all, ended } = await this.#run([`-run-test=${name}`, "-cleanup-base-resources=false"], name);
      if (!ended) return false;
      outcomes.push(...all.filter((outcome) => outcome.name === name));
    }
    const wanting = shortcomingsOf(outcomes);
    print(`\n${[...wanting, `${outcomes.length - wanting.length} of ${outcomes.length} passed`].join("\n")}`);
    return wanting.length === 0;
  }

  #command(): string {
    const { version, profiles, output } = this.#asked;
    const chosen = output === undefined ? profiles.map((name) => ` --profile ${name}`).join("") : "";
    return `npm run conformance -- --version ${version}${chosen}`;
  }

  /** `ended`: the suite ran to its end, whatever came of it. */
  async #run(flags: string[], only?: string): Promise<{ outcomes: TestOutcome[]; ended: boolean }> {
    const outcomes: TestOutcome[] = [];
    const log = join(tmpdir(), `gatehouse-conformance-${this.#asked.version}.log`);
    const file = createWriteStream(log, { flags: only === undefined ? "w" : "a" });
    const output = readSuiteOutput((outcome) => {
      outcomes.push(outcome);
      if (only === undefined || outcome.name === only) report(outcome);
    });
    const onOutput = (text: string): void => {
      file.write(text);
      output.write(text);
    };
    const addresses = await this.#addresses();
    const all = [`-test.timeout=${timeLimit}`, "-gateway-class=traefik", ...addresses, ...flags];
    const { environment } = this.#cluster;
    await runSuite(this.#program, { flags: all, environment, onOutput }, this.#signal);
    await new Promise((resolve) => file.end(resolve));
    const ended = outcomes.some(({ name, outcome }) => (only === undefined ? outcome !== "SKIP" : name === only));
    if (!ended) explainEnd(output);
    if (!ended || outcomes.some(({ outcome }) => outcome === "FAIL")) print(`All that the suite printed: ${log}`);
    return { outcomes, ended };
  }

  /** One that a Gateway may ask for, and one that it may not. */
  async #addresses(): Promise<string[]> {
    const status = await this.#cluster.gatehouse("status", "-o", "json");
    const { nodeIP } = JSON.parse(status.stdout) as { nodeIP: string };
    return [`-usable-address=${nodeIP.replace(/\.0\.1$/, ".255.254")}`, `-unusable-address=${nodeIP}`];
  }
}

/** The progress line of a test. */
function report(outcome: TestOutcome): void {
  const { name, seconds } = outcome;
  const missed = missedBy(outcome);
  if (outcome.outcome === "PASS") print(` ✓ ${name} (${seconds.toFixed(1)} s)`);
  else if (outcome.outcome === "FAIL") print(` ✗ ${name} (${seconds.toFixed(1)} s): ${complaintOf(outcome)}`);
  else if (missed !== undefined) print(` - ${name}: ${missed}`);
}

function explainEnd({ otherLines }: SuiteOutput): void {
  process.stderr.write(`error: the suite ended before its tests:\n${otherLines.slice(-20).join("\n")}\n`);
}
