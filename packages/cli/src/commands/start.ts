// `gatehouse start`: a stopped cluster runs again with the state it had.

import type { Command } from "commander";
import { clusterSummary } from "../cluster-summary.ts";
import { UserError } from "../user-error.ts";
import { lockCluster } from "../cluster-lock.ts";
import { type ClusterOptions, embeddedProvider, nameOption, terminalProgress, waitingNote } from "./cluster-options.ts";

export function registerStart(program: Command): void {
  program
    .command("start")
    .description("start a stopped cluster again, with everything that was in it")
    .addOption(nameOption())
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", "\nExamples:\n  gatehouse start\n  gatehouse start --name second")
    .action(start);
}

async function start(options: ClusterOptions & { quiet?: boolean }): Promise<void> {
  const provider = await embeddedProvider(options);
  const progress = terminalProgress(options.quiet === true);
  if (!provider.exists) throw new UserError(`there is no cluster "${options.name}": bring one up with gatehouse up`);
  const unlock = await lockCluster(options.name, waitingNote(progress));
  try {
    if ((await provider.phase()) === "running")
      return progress.note(`Cluster "${options.name}" is running: nothing to do.`);
    const port = provider.state?.apiPort;
    await provider.create(progress);
    if (provider.state?.apiPort !== port) {
      const { writeContext } = await import("../steps/write-context.ts");
      await writeContext(provider, progress);
    }
    const { waitUntilReady } = await import("../steps/wait-until-ready.ts");
    await waitUntilReady(provider, progress);
    const { urls } = clusterSummary(provider);
    if (!options.quiet) process.stdout.write(`\n${urls.map((url) => `  ${url}\n`).join("")}`);
  } finally {
    unlock();
  }
}
