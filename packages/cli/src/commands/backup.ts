// `gatehouse backup FILE`: the whole cluster, running or not, in one file.

import { stateCopyPath, copyState, measureState } from "@gatehouse/apiserver/storage/state-copy";
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { writeBackup } from "../backup-file.ts";
import { readClusterState } from "../cluster-state.ts";
import { clusterFiles, readPki } from "../providers/embedded/cluster-files.ts";
import { type EmbeddedState, nodeNameOf } from "../providers/embedded/embedded-state.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { UserError } from "../user-error.ts";
import { changeCluster } from "./change-cluster.ts";
import { clusterProvider, nameOption, terminalProgress } from "./cluster-options.ts";

interface BackupOptions {
  name?: string;
  force?: boolean;
  quiet?: boolean;
}

export function registerBackup(program: Command): void {
  program
    .command("backup")
    .description("write the whole embedded cluster, running or stopped, into one file; its Secrets and keys are in it")
    .argument("<file>", "where to")
    .addOption(nameOption())
    .option("--force", "replace the file when it is there")
    .option("-q, --quiet", "print nothing but errors")
    .addHelpText(
      "after",
      "\nExamples:\n  gatehouse backup before-upgrade.backup\n  gatehouse restore before-upgrade.backup --name copy",
    )
    .action(backup);
}

async function backup(file: string, options: BackupOptions): Promise<void> {
  const path = resolve(file);
  const progress = terminalProgress(options);
  const provider = await clusterProvider(options);
  await changeCluster(provider, progress, async () => {
    const state = readClusterState<EmbeddedState>(provider.directory);
    if (!state) throw new UserError(`there is no cluster "${provider.name}": bring one up with gatehouse up`);
    if (existsSync(path) && !options.force)
      throw new UserError(`${file} is there: name another file, or replace it with --force`);
    const pki = readPki(clusterFiles(provider.directory));
    await progress.step(`Back up the cluster "${provider.name}"`, async ({ detail }) => {
      const content = { state, pki, node: nodeNameOf(state) };
      const manifest = writeBackup(path, await stateOf(provider), content, measureState);
      detail(`${manifest.objects} objects, revision ${manifest.revision}, in ${file}`);
    });
    progress.note("It holds the cluster's Secrets and keys, readable by you alone: keep it so.");
  });
}

async function stateOf(provider: ClusterProvider): Promise<Buffer> {
  if ((await provider.phase()) !== "running") {
    const { database } = clusterFiles(provider.directory);
    if (!existsSync(database)) throw new UserError(`${database} is not there: cluster "${provider.name}" has no state`);
    try {
      return copyState(database);
    } catch (error) {
      throw new UserError((error as Error).message, 1, { cause: error });
    }
  }
  const client = await provider.connect();
  try {
    const chunks: Buffer[] = [];
    const answer = await client.stream({ method: "GET", path: stateCopyPath });
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    client.close();
  }
}
