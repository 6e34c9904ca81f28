// `gatehouse start`: a stopped cluster runs again with the state it had.

import type { Command } from "commander";
import { clusterSummary } from "../cluster-summary.ts";
import { UserError } from "../user-error.ts";
import { type ClusterOptions, embeddedProvider, nameOption, terminalProgress } from "./cluster-options.ts";

export function registerStart(program: Command): void {
  program
    .command("start")
    .description("start a stopped cluster again, with everything that was in it")
    .addOption(nameOption())
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", "\nExamples:\n  gatehouse start\n  gatehouse start --name second")
    .action(async (options: ClusterOptions & { quiet?: boolean }) => {
      const provider = await embeddedProvider(options);
      const progress = terminalProgress(options.quiet === true);
      const phase = await provider.phase();
      if (phase === "absent")
        throw new UserError(`there is no cluster "${options.name}": bring one up with gatehouse up`);
      if (phase === "running") return progress.note(`Cluster "${options.name}" is running: nothing to do.`);
      await provider.create(progress);
      const { waitUntilReady } = await import("../steps/wait-until-ready.ts");
      await waitUntilReady(provider, progress);
      const { urls } = clusterSummary(provider);
      if (!options.quiet) process.stdout.write(`\n${urls.map((url) => `  ${url}\n`).join("")}`);
    });
}
