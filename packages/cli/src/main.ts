// The command line: which commands there are, and how failures of each sort are shown.

import { Command, CommanderError } from "commander";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { registerApply } from "./commands/apply.ts";
import { registerBackup } from "./commands/backup.ts";
import { registerCrds } from "./commands/crds.ts";
import { registerDelete } from "./commands/delete.ts";
import { registerDescribe } from "./commands/describe.ts";
import { registerDiff } from "./commands/diff.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerDown } from "./commands/down.ts";
import { registerGet } from "./commands/get.ts";
import { registerLogs } from "./commands/logs.ts";
import { registerRestore } from "./commands/restore.ts";
import { registerStart } from "./commands/start.ts";
import { registerStatus } from "./commands/status.ts";
import { registerStop } from "./commands/stop.ts";
import { registerUp } from "./commands/up.ts";
import { UserError } from "./user-error.ts";
import { version } from "./version.ts";

const registrations = [
  registerUp,
  registerDown,
  registerStop,
  registerStart,
  registerBackup,
  registerRestore,
  registerStatus,
  registerDoctor,
  registerGet,
  registerDescribe,
  registerApply,
  registerDelete,
  registerLogs,
  registerDiff,
  registerCrds,
];

function createProgram(): Command {
  const program = new Command("gatehouse")
    .description("A Kubernetes Gateway API cluster you can hold in your hand.")
    .version(version, "-V, --version")
    .exitOverride()
    // `crds --version` is the Gateway API's.
    .enablePositionalOptions()
    .showHelpAfterError("(add --help for the options and examples)");
  for (const register of registrations) register(program);
  program.addHelpText(
    "after",
    `
Examples:
  gatehouse up                                   the whole demo, in about a second
  gatehouse status                               what runs, what is not ready and why
  gatehouse get gatewayclass,gateway,httproute -A
  gatehouse down                                 leave nothing behind`,
  );
  return program;
}

async function main(argv: string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UserError) {
    process.stderr.write(`error: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof StatusError) {
    process.stderr.write(`Error from server (${error.reason}): ${error.message}\n`);
    return 1;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

// A reader that goes away (`gatehouse up | head -1`) keeps nothing from being finished.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
process.exitCode = await main(process.argv.slice(2));
