// `gatehouse start`: a stopped cluster runs again with the state it had.

import type { Command } from "commander";
import { clusterSummary, typedUrls } from "../cluster-summary.ts";
import { UserError } from "../user-error.ts";
import { changeCluster } from "./change-cluster.ts";
import {
  clusterOption,
  type ClusterOptions,
  clusterProvider,
  contextOption,
  nameOption,
  terminalProgress,
} from "./cluster-options.ts";

export function registerStart(program: Command): void {
  program
    .command("start")
    .description("start a stopped cluster again, with everything that was in it")
    .addOption(clusterOption())
    .addOption(contextOption())
    .addOption(nameOption())
    .option("-q, --quiet", "print nothing but errors")
    .option("-v, --verbose", "show the output of the tools that are run")
    .addHelpText(
      "after",
      "\nExamples:\n  gatehouse start\n  gatehouse start --name second\n  gatehouse start --cluster kind",
    )
    .action(start);
}

async function start(options: ClusterOptions & { quiet?: boolean; verbose?: boolean }): Promise<void> {
  const provider = await clusterProvider(options);
  if (provider.kind === "context") {
    throw new UserError(
      `the cluster of context "${provider.name}" is not started from here: gatehouse up${provider.flags} installs the demo on it`,
      2,
    );
  }
  const progress = terminalProgress(options);
  await changeCluster(provider, progress, async () => {
    const phase = await provider.phase();
    if (phase === "absent")
      throw new UserError(`there is no cluster "${provider.name}": bring one up with gatehouse up${provider.flags}`);
    if (phase === "running") return progress.note(`Cluster "${provider.name}" is running: nothing to do.`);
    await provider.create(progress);
    const { waitUntilReady } = await import("../steps/wait-until-ready.ts");
    await waitUntilReady(provider, progress);
    const urls = typedUrls(provider, await clusterSummary(provider));
    if (!options.quiet) process.stdout.write(`\n${urls.map((url) => `  ${url}\n`).join("")}`);
  });
}
