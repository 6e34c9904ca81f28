// The seed's suite in a process of its own, on a cluster that is up already.

import assert from "node:assert/strict";
import { join } from "node:path";
import { root, run } from "../system/test-cluster.ts";

export interface SeedCluster {
  kubeconfig: string;
  context: string;
  /** Where the node's port 80 is reached. */
  entry: { host: string; port: number };
}

/** Rejects with the suite's output when a row fails, or when no row was run. */
export async function runSeedSuite({ kubeconfig, context, entry }: SeedCluster): Promise<void> {
  // Within a test run, another one would only report to it.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const suite = ["--test", "--test-reporter=spec", join(root, "test/system/seed.test.ts")];
  const { code, stdout, stderr } = await run(process.execPath, suite, {
    ...environment,
    KUBECONFIG: kubeconfig,
    GATEHOUSE_TEST_CONTEXT: context,
    GATEHOUSE_TEST_ENTRY: `${entry.host}:${entry.port}`,
  });
  assert.equal(code, 0, stdout + stderr);
  assert.ok(Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1]) > 20, stdout);
}
