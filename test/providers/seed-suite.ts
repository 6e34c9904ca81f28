// The seed's suite in a process of its own, on a cluster that is up already.

import assert from "node:assert/strict";
import { join } from "node:path";
import { root, run } from "../system/test-cluster.ts";

export interface SeedCluster {
  context: string;
  /** Where the node's port 80 is reached. */
  entry: { host: string; port: number };
  /** That of the commands which brought it up: its HOME has kubeconfig and state, its PATH the tools. */
  environment: NodeJS.ProcessEnv;
  /** With which `gatehouse status` means this cluster, e.g. `--cluster kind`. */
  flags: string[];
}

/** Rejects with the suite's output when a row fails or is skipped, or when few were run. */
export async function runSeedSuite({ context, entry, environment, flags }: SeedCluster): Promise<void> {
  // Within a test run, another one would only report to it.
  const { NODE_TEST_CONTEXT: _, ...inherited } = environment;
  const suite = ["--test", "--test-reporter=spec", join(root, "test/system/seed.test.ts")];
  const { code, stdout, stderr } = await run(process.execPath, suite, {
    ...inherited,
    GATEHOUSE_TEST_CONTEXT: context,
    GATEHOUSE_TEST_ENTRY: `${entry.host}:${entry.port}`,
    GATEHOUSE_TEST_FLAGS: flags.join(" "),
  });
  assert.equal(code, 0, stdout + stderr);
  const count = (what: string): number => Number(new RegExp(`^ℹ ${what} (\\d+)$`, "m").exec(stdout)?.[1]);
  assert.ok(count("pass") > 20 && count("skipped") === 0, stdout);
}
