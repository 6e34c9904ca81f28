// The suite as a program: built by Go from its official module, run against a cluster.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { findProgram, root, run } from "../system/test-cluster.ts";
import type { SuiteVersion } from "./arguments.ts";

/** Nothing could be run: one sentence with what to do. */
export class NotRunError extends Error {}

/** Builds the suite's program into `directory`; with Go's cache that takes seconds. Throws a NotRunError. */
export async function buildSuite(version: SuiteVersion, directory: string): Promise<string> {
  if (!findProgram("go")) {
    throw new NotRunError("Go is not in PATH: the suite is a Go program, install Go 1.26 or newer, then try again");
  }
  const program = join(directory, "conformance.test");
  const source = join(root, "test/conformance", version);
  const built = await run("go", ["test", "-C", source, "-c", "-o", program, "."], process.env);
  if (built.code !== 0) {
    throw new NotRunError(`the suite could not be built in ${source}: ${built.stderr.trim()}`);
  }
  return program;
}

export interface SuiteRun {
  /** Flags of the suite. */
  flags: string[];
  environment: NodeJS.ProcessEnv;
  onOutput: (text: string) => void;
}

/** Runs the program to its end; resolves with its exit code. `signal` ends it. */
export function runSuite(
  program: string,
  { flags, environment, onOutput }: SuiteRun,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["-test.v=test2json", ...flags], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      signal,
      killSignal: "SIGKILL",
    });
    child.stdout.setEncoding("utf8").on("data", onOutput);
    child.stderr.setEncoding("utf8").on("data", onOutput);
    child.once("error", (error) => (signal.aborted ? resolve(-1) : reject(error)));
    child.once("close", (code) => resolve(code ?? -1));
  });
}
