// `gatehouse down`: the cluster and everything `up` made go away.

import type { Command } from "commander";
import { removeCluster } from "../remove-cluster.ts";
import { lockCluster } from "../cluster-lock.ts";
import { type ClusterOptions, embeddedProvider, nameOption, terminalProgress, waitingNote } from "./cluster-options.ts";

export function registerDown(program: Command): void {
  program
    .command("down")
    .description("delete the cluster: processes, ports, state, kubeconfig context and hosts block")
    .addOption(nameOption())
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", "\nExamples:\n  gatehouse down\n  gatehouse down --name second")
    .action(async (options: ClusterOptions & { quiet?: boolean }) => {
      const provider = await embeddedProvider(options);
      const progress = terminalProgress(options.quiet === true);
      if (!provider.exists) return progress.note(`No cluster "${options.name}": nothing to do.`);
      const unlock = await lockCluster(options.name, waitingNote(progress));
      try {
        await progress.step(`Delete the cluster "${options.name}"`, () => removeCluster(provider));
      } finally {
        unlock();
      }
    });
}
