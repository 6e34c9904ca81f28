// `npm run conformance`: the official Gateway API conformance suite, unmodified, against a cluster that `gatehouse up` makes
// and that is gone afterwards.

import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeBind } from "../../packages/kubelet/src/network/bind-probe.ts";
import { root, startTestCluster, type TestCluster } from "../system/test-cluster.ts";
import { type ConformanceArguments, parseArguments, usage, UsageError } from "./arguments.ts";
import { runConformance } from "./conformance-run.ts";
import { whyNotHere } from "./machine-check.ts";
import { buildSuite, NotRunError } from "./suite-program.ts";

const interrupted = 130;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The exit code: 0 everything passed and nothing was left out, 1 not so, 2 the suite did not run, 130 interrupted. */
export async function main(args: string[]): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const code = await runAsked(parseArguments(args, join(root, "docs/conformance")), interruption.signal);
    return interruption.signal.aborted ? interrupted : code;
  } catch (error) {
    if (interruption.signal.aborted) return interrupted;
    if (!(error instanceof NotRunError || error instanceof UsageError)) throw error;
    process.stderr.write(`error: ${error.message}\n${error instanceof UsageError ? `\n${usage}\n` : ""}`);
    return 2;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

async function runAsked(asked: ConformanceArguments, signal: AbortSignal): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), "gatehouse-conformance-"));
  const at = (name: string): string => join(work, name);
  try {
    const program = await step(`Build the suite of ${asked.version}`, () => buildSuite(asked.version, work));
    const refusal = await whyNotHere(probeBind);
    if (refusal !== undefined) throw new NotRunError(refusal);
    if (signal.aborted) return interrupted;
    const passed = await withCluster(asked, (cluster) =>
      runConformance({ asked, program, cluster, log: at("suite.log"), report: at("report.yaml"), print, signal }),
    );
    if (passed || signal.aborted) return 0;
    const kept = `${work}.log`;
    renameSync(at("suite.log"), kept);
    print(`All that the suite printed: ${kept}`);
    return 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The cluster is taken down whatever comes of `work`. */
async function withCluster<T>(
  { version }: ConformanceArguments,
  work: (cluster: TestCluster) => Promise<T>,
): Promise<T> {
  const up = () => startTestCluster("--gateway-api", version, "--channel", "experimental");
  const cluster = await step("Bring a cluster up", up);
  try {
    return await work(cluster);
  } finally {
    await step("Take the cluster down", () => cluster.remove());
  }
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  print(` ✓ ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}
