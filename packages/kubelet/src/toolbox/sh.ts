// A shell in miniature, for `kubectl exec -it POD -- sh` and `sh -c '...'`: programs of the toolbox with `;`, `&&`, `||`, pipes,
// quotes and variables. Whatever else a shell can do is refused by name, never half done.

import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { FileError, isDirectory } from "./container-files.ts";
import { parseOptions, type Program, type Toolbox, UsageError } from "./program.ts";
import { parseScript, type Word } from "./sh-syntax.ts";

interface Shell {
  variables: Record<string, string>;
  status: number;
  /** Set by `exit`. */
  exited: boolean;
}

/** Somebody down the pipe has read enough. */
class PipeClosed extends Error {}

const pipeClosedCode = 141;

export const sh: Program = async (args, box) => {
  const { flags, values, operands } = parseOptions(args, "il", "c");
  const shell: Shell = { variables: { ...box.environment }, status: 0, exited: false };
  const script = values.get("c");
  if (script !== undefined) {
    await runScript(script, shell, box);
    return shell.status;
  }
  if (operands.length > 0) throw new UsageError("files are not run as scripts: use -c");
  const prompts = box.container.tty || flags.has("i");
  const prompt = async (): Promise<void> => {
    if (prompts) await box.out(`${box.files.directory} $ `);
  };
  await prompt();
  for await (const line of createInterface({ input: box.stdin })) {
    // Lines are commands, so the programs' own input is empty.
    await runScript(line, shell, { ...box, stdin: Readable.from([]) });
    if (shell.exited) break;
    await prompt();
  }
  return shell.status;
};

/** A mistake of syntax is told, and nothing of the line is run. */
async function runScript(script: string, shell: Shell, box: Toolbox): Promise<void> {
  try {
    for (const { when, stages } of parseScript(script)) {
      if (when !== "always" && (when === "success") !== (shell.status === 0)) continue;
      shell.status = await runPipeline(stages, shell, box);
      if (shell.exited) return;
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    shell.status = 2;
    await box.err(`sh: ${error.message}`);
  }
}

/** All stages at once; the exit code is the last one's. */
async function runPipeline(stages: Word[][], shell: Shell, box: Toolbox): Promise<number> {
  const pipes = stages.slice(1).map(() => new PassThrough());
  // Writing to one that is closed is told to whoever writes.
  for (const pipe of pipes) pipe.on("error", () => {});
  const codes = await Promise.all(
    stages.map(async (words, at) => {
      const [input, output] = [pipes[at - 1], pipes[at]];
      const command = words.map((word) => word(shell.variables, shell.status));
      const code = await runCommand(command, shell, {
        ...box,
        stdin: input ?? box.stdin,
        out: output ? (data) => writeTo(output, data) : box.out,
      });
      output?.end();
      input?.destroy();
      return code;
    }),
  );
  return codes.at(-1) ?? 0;
}

async function runCommand(command: string[], shell: Shell, box: Toolbox): Promise<number> {
  const [name = "", ...args] = command;
  const assignment = /^([A-Za-z_]\w*)=([^]*)$/.exec(name === "export" ? (args[0] ?? "") : name);
  if (assignment?.[1] !== undefined) {
    shell.variables[assignment[1]] = assignment[2] ?? "";
    return 0;
  }
  if (name === "exit") {
    shell.exited = true;
    return args[0] === undefined ? shell.status : Number(args[0]) & 255;
  }
  if (name === "cd") return changeDirectory(args[0] ?? "/", box);
  const { directory } = box.files;
  try {
    return await box.run(command, { ...box, environment: shell.variables });
  } catch (error) {
    if (error instanceof PipeClosed) return pipeClosedCode;
    throw error;
  } finally {
    box.files.directory = directory;
  }
}

async function changeDirectory(path: string, { files, err }: Toolbox): Promise<number> {
  try {
    const found = files.find(path);
    if (!isDirectory(found)) throw new FileError(path, "ENOTDIR");
    files.directory = found.path;
    return 0;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await err(`sh: cd: ${error.message}`);
    return 1;
  }
}

function writeTo(pipe: PassThrough, data: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    pipe.write(data, (error) => (error ? reject(new PipeClosed()) : resolve()));
  });
}
