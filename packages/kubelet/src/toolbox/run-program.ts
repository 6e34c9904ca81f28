// The programs of the toolbox by name, and how one is run: its mistakes are lines and exit codes as a shell would have them.

import { FileError } from "./container-files.ts";
import { cat, head, ls, tail, test } from "./file-programs.ts";
import { date, echo, env, hostname, id, printenv, ps, pwd, sleep } from "./plain-programs.ts";
import { type Program, type Toolbox, UsageError } from "./program.ts";
import { sh } from "./sh.ts";
import { tar } from "./tar.ts";
import { curl, wget } from "./wget.ts";

const named = {
  cat,
  curl,
  date,
  echo,
  env,
  head,
  hostname,
  id,
  ls,
  printenv,
  ps,
  pwd,
  sh,
  sleep,
  tail,
  tar,
  test,
  wget,
};
const programs: Record<string, Program> = { ...named, true: () => 0, false: () => 1 };

const places = /^\/(?:usr\/)?(?:local\/)?s?bin\//;

/** Resolves with the exit code: 127 for what is not there, 2 for wrong usage. */
export async function runProgram(command: string[], box: Toolbox): Promise<number> {
  const [called = "", ...args] = command;
  const name = called.replace(places, "");
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (!program) {
    await box.err(
      `${called}: not in this container: the pod is a process without a file system of its own. ` +
        `Programs are: ${Object.keys(programs).sort().join(" ")}`,
    );
    return 127;
  }
  try {
    return await program(args, box);
  } catch (error) {
    if (!(error instanceof FileError) && !(error instanceof UsageError)) throw error;
    await box.err(`${name}: ${error.message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}
