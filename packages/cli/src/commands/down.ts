// `gatehouse down`: the cluster and everything `up` made go away; from somebody's cluster, what `up` put on it.

import { type Command, Option } from "commander";
import { existsSync } from "node:fs";
import { askAtTerminal, type Decide } from "../decide.ts";
import { removeCluster } from "../remove-cluster.ts";
import { changeCluster } from "./change-cluster.ts";
import {
  clusterOption,
  type ClusterOptions,
  clusterProvider,
  contextOption,
  nameOption,
  terminalProgress,
} from "./cluster-options.ts";

interface DownOptions extends ClusterOptions {
  crds?: "keep" | "delete";
  quiet?: boolean;
  verbose?: boolean;
}

export function registerDown(program: Command): void {
  program
    .command("down")
    .description("delete the cluster and everything up made; on a cluster of yours, only what up put there")
    .addOption(clusterOption())
    .addOption(contextOption())
    .addOption(nameOption())
    .addOption(
      new Option(
        "--crds <choice>",
        "with --context: what to do with the Gateway API definitions up installed (default: ask at a terminal, else keep)",
      ).choices(["keep", "delete"]),
    )
    .option("-q, --quiet", "print nothing but errors")
    .option("-v, --verbose", "show the output of the tools that are run")
    .addHelpText(
      "after",
      `
Examples:
  gatehouse down
  gatehouse down --name second
  gatehouse down --cluster kind
  gatehouse down --context my-cluster --crds keep`,
    )
    .action(down);
}

async function down(options: DownOptions): Promise<void> {
  const progress = terminalProgress(options);
  const decide: Decide = options.crds ? () => Promise.resolve(options.crds === "delete") : askAtTerminal;
  const provider = await clusterProvider(options, decide);
  // On a cluster of somebody's it is the labels there that count, not what this machine remembers.
  if (provider.kind !== "context" && !existsSync(provider.directory)) {
    return progress.note(`No cluster "${provider.name}": nothing to do.`);
  }
  await changeCluster(provider, progress, async () => {
    await removeCluster(provider, progress);
  });
}
