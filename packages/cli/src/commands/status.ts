// `gatehouse status`: what runs, where, how much memory it takes, and what is not ready, with the reason.

import { type Command, Option } from "commander";
import { clusterOption, type ClusterOptions, clusterProvider, contextOption, nameOption } from "./cluster-options.ts";

export function registerStatus(program: Command): void {
  program
    .command("status")
    .description("show the cluster, its Gateways, routes and pods; exit code 1 when something is not ready")
    .addOption(clusterOption())
    .addOption(contextOption())
    .addOption(nameOption())
    .addOption(new Option("-o, --output <format>", "print as data").choices(["json"]))
    .addHelpText(
      "after",
      "\nExamples:\n  gatehouse status\n  gatehouse status -o json\n  gatehouse status --cluster kind",
    )
    .action(async (options: ClusterOptions & { output?: "json" }) => {
      const [provider, { collectStatus }, { formatStatus }] = await Promise.all([
        clusterProvider(options),
        import("../cluster-status.ts"),
        import("../status-text.ts"),
      ]);
      const status = await collectStatus(provider);
      process.stdout.write(options.output === "json" ? `${JSON.stringify(status, null, 2)}\n` : formatStatus(status));
      if (!status.ready) process.exitCode = 1;
    });
}
