// `gatehouse restore FILE`: a backup becomes a stopped cluster, new or in place of one that is there.

import type { Command } from "commander";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { readBackup } from "../backup-file.ts";
import { UserError } from "../user-error.ts";
import { changeCluster } from "./change-cluster.ts";
import { clusterProvider, nameOption, terminalProgress } from "./cluster-options.ts";

interface RestoreOptions {
  name?: string;
  force?: boolean;
  quiet?: boolean;
}

export function registerRestore(program: Command): void {
  program
    .command("restore")
    .description("make a stopped cluster of a backup; gatehouse start then brings it up")
    .argument("<file>", "what gatehouse backup wrote")
    .addOption(nameOption().default(undefined, "the name of the cluster that was backed up"))
    .option("--force", "replace the stopped cluster of that name: what is in it is lost")
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText(
      "after",
      "\nExamples:\n  gatehouse restore before-upgrade.backup --force\n  gatehouse restore before-upgrade.backup --name copy",
    )
    .action(restore);
}

async function restore(file: string, options: RestoreOptions): Promise<void> {
  const path = resolve(file);
  const progress = terminalProgress(options);
  const backup = readBackup(path);
  const { cluster, createdAt, objects, revision } = backup.manifest;
  const provider = await clusterProvider({ name: options.name ?? cluster });
  await changeCluster(provider, progress, async () => {
    if ((await phaseOf(provider.phase())) === "running") {
      throw new UserError(`cluster "${provider.name}" is running: end it with gatehouse stop${provider.flags} first`);
    }
    if (existsSync(provider.directory) && !options.force) {
      const choice = "replace it with --force (what is in it is lost), or restore under another name with --name";
      throw new UserError(`there is a cluster "${provider.name}": ${choice}`);
    }
    await progress.step(`Restore the cluster "${provider.name}"`, async ({ detail }) => {
      const { restoreCluster } = await import("../providers/embedded/restore-cluster.ts");
      restoreCluster(path, backup, provider.name, provider.directory);
      detail(`${objects} objects, revision ${revision}, as of ${createdAt}`);
    });
    progress.note(`Bring it up with gatehouse start${provider.flags}.`);
  });
}

/** A cluster with damaged files does not run as far as anybody can say, and may be replaced. */
async function phaseOf(phase: Promise<string>): Promise<string> {
  return phase.catch((error: unknown) => {
    if (error instanceof UserError) return "stopped";
    throw error;
  });
}
