// `gatehouse stop`: the processes end, the state stays for `gatehouse start`.

import type { Command } from "commander";
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

export function registerStop(program: Command): void {
  program
    .command("stop")
    .description("stop the cluster's processes (kind: its containers) and keep its state")
    .addOption(clusterOption())
    .addOption(contextOption())
    .addOption(nameOption())
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText("after", "\nExamples:\n  gatehouse stop\n  gatehouse stop --cluster kind\n  gatehouse start")
    .action(stop);
}

async function stop(options: ClusterOptions & { quiet?: boolean }): Promise<void> {
  const provider = await clusterProvider(options);
  const progress = terminalProgress(options);
  await changeCluster(provider, progress, async () => {
    // One of somebody's says itself that it is not stopped from here.
    if (provider.kind !== "context" && (await provider.phase()) === "absent") {
      throw new UserError(`there is no cluster "${provider.name}": bring one up with gatehouse up${provider.flags}`);
    }
    await progress.step(`Stop the cluster "${provider.name}"`, () => provider.stop());
  });
}
