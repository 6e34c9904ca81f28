// `gatehouse start`: a stopped cluster runs again with the state it had.

import type { Command } from "commander";
import type { EmbeddedProvider } from "../providers/embedded/embedded-provider.ts";
import { UserError } from "../user-error.ts";
import { type ClusterOptions, embeddedProvider, nameOption, terminalProgress } from "./cluster-options.ts";

const readyTimeoutMs = 15_000;

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
      await progress.step("Wait until everything is ready", (detail) => waitForAll(provider, detail));
    });
}

/** What was broken before the stop may stay broken: that is said, and is no failure of the start. */
async function waitForAll(provider: EmbeddedProvider, detail: (text: string) => void): Promise<void> {
  const [{ allObjects, untilReady }, { explainUnready }, client] = await Promise.all([
    import("../steps/readiness.ts"),
    import("../steps/unready.ts"),
    provider.connect(),
  ]);
  try {
    const unready = await untilReady(client, allObjects, readyTimeoutMs);
    if (unready.length > 0) detail(`still not ready: ${explainUnready(unready)}`);
  } finally {
    client.close();
  }
}
