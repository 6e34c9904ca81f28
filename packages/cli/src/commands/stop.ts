// `gatehouse stop`: the processes end, the state stays for `gatehouse start`.

import type { Command } from "commander";
import { UserError } from "../user-error.ts";
import { lockCluster } from "../cluster-lock.ts";
import { type ClusterOptions, embeddedProvider, nameOption, terminalProgress, waitingNote } from "./cluster-options.ts";

export function registerStop(program: Command): void {
  program
    .command("stop")
    .description("stop the cluster's processes and keep its state")
    .addOption(nameOption())
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", "\nExamples:\n  gatehouse stop\n  gatehouse start")
    .action(async (options: ClusterOptions & { quiet?: boolean }) => {
      const provider = await embeddedProvider(options);
      const progress = terminalProgress(options.quiet === true);
      if ((await provider.phase()) === "absent") {
        throw new UserError(`there is no cluster "${options.name}": bring one up with gatehouse up`);
      }
      const unlock = await lockCluster(options.name, waitingNote(progress));
      try {
        await progress.step(`Stop the cluster "${options.name}"`, () => provider.stop());
      } finally {
        unlock();
      }
    });
}
